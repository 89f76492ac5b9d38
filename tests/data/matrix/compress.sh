#!/bin/sh
# Compresses the plain files of this folder by every reference tool. SNAPPY_GO: the program of snappy_streams.go; SNAPPY_JAR: snappy-java's jar.
set -eu
for plain in csv.csv json.json text.log splunk_csv.csv splunk_hec.json w3c.log zeek.log; do
    gzip -9nc "$plain" >"$plain.gz"
    pigz -9nc "$plain" >"$plain.pigz.gz"
    zlib-flate -compress=9 <"$plain" >"$plain.zz"
    "$SNAPPY_GO" deflate <"$plain" >"$plain.deflate"
    bzip2 -9c "$plain" >"$plain.bz2"
    xz -9c "$plain" >"$plain.xz"
    lzma -9c "$plain" >"$plain.lzma"
    lz4 -9qc "$plain" >"$plain.lz4"
    zstd -19qc "$plain" >"$plain.zst"
    brotli -c "$plain" >"$plain.br"
    compress -c "$plain" >"$plain.Z"
    "$SNAPPY_GO" framed <"$plain" >"$plain.sz"
    "$SNAPPY_GO" raw <"$plain" >"$plain.raw.snappy"
    java -cp "$SNAPPY_JAR" HadoopSnappy.java <"$plain" >"$plain.hadoop.snappy"
done
