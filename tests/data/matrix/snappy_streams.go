// Compresses standard input by golang/snappy, or to raw DEFLATE by Go's own library: go run snappy_streams.go framed|raw|deflate < plain > stored
package main

import (
	"compress/flate"
	"io"
	"os"

	"github.com/golang/snappy"
)

func main() {
	plain, _ := io.ReadAll(os.Stdin)
	switch os.Args[1] {
	case "raw":
		os.Stdout.Write(snappy.Encode(nil, plain))
	case "framed":
		framed := snappy.NewBufferedWriter(os.Stdout)
		framed.Write(plain)
		framed.Close()
	case "deflate":
		deflated, _ := flate.NewWriter(os.Stdout, 9)
		deflated.Write(plain)
		deflated.Close()
	}
}
