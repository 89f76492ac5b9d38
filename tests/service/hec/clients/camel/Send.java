import java.util.Map;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;

/** Sends three events by Apache Camel, which speaks TLS alone: {@code java -cp CLASSPATH Send.java PORT TOKEN}. */
public class Send {
    public static void main(String[] arguments) throws Exception {
        String endpoint = "splunk-hec:127.0.0.1:" + arguments[0] + "?token=" + arguments[1]
            + "&skipTlsVerify=true&bodyOnly=true&index=main&source=camel&sourcetype=java&host=web-3";
        try (DefaultCamelContext context = new DefaultCamelContext()) {
            context.addRoutes(new RouteBuilder() {
                @Override
                public void configure() {
                    from("direct:events").to(endpoint);
                }
            });
            context.start();
            var producer = context.createProducerTemplate();
            long seconds = 1754951077L;
            for (Object body : new Object[] {"one", Map.of("k", "two \u2603"), "three"}) {
                producer.sendBodyAndHeader("direct:events", body, "CamelSplunkHECIndexTime", seconds++ * 1000 + 250);
            }
        }
    }
}
