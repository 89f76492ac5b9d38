// Command docker hands three lines of a container to Docker's splunk log driver: `docker FORMAT GZIP PORT TOKEN`.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/docker/docker/daemon/logger"
	"github.com/docker/docker/daemon/logger/splunk"
)

func main() {
	format, gzip, port, token := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	driver, err := splunk.New(logger.Info{
		ContainerID: "0123456789abcdef0123", ContainerName: "/web", ContainerImageID: "sha256:abc", ContainerImageName: "nginx",
		ContainerLabels: map[string]string{"team": "checkout"},
		Config: map[string]string{
			"splunk-url": "http://127.0.0.1:" + port, "splunk-token": token, "splunk-index": "main",
			"splunk-source": "docker-" + format, "splunk-sourcetype": "nginx", "splunk-format": format, "splunk-gzip": gzip,
			"tag": "{{.Name}}", "labels": "team",
		},
	})
	if err != nil {
		fail(err)
	}
	for second := range 3 {
		message := logger.NewMessage()
		message.Source = "stdout"
		message.Timestamp = time.Unix(1754951077+int64(second), 250_000_000)
		message.Line = append(message.Line, fmt.Sprintf(`{"line": %d}`, second)...)
		if err := driver.Log(message); err != nil {
			fail(err)
		}
	}
	if err := driver.Close(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
