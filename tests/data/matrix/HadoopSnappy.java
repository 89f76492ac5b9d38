// Compresses standard input to Hadoop's Snappy blocks by snappy-java: java -cp snappy-java-1.1.10.7.jar HadoopSnappy.java < plain > stored
import org.xerial.snappy.SnappyHadoopCompatibleOutputStream;

public class HadoopSnappy {
    public static void main(String[] arguments) throws Exception {
        try (var blocks = new SnappyHadoopCompatibleOutputStream(System.out)) {
            System.in.transferTo(blocks);
        }
    }
}
