#!/bin/sh
# The web server's first page, as long as there is no /www/index.html: which instance this is.
export PATH=/sbin:/bin
printf 'Content-Type: text/html\r\n\r\n'
echo "<!DOCTYPE html><title>$(hostname)</title>"
echo "<h1>$(hostname)</h1>"
echo "<pre>"
ip -o -4 addr show | awk '/ eth/ { sub("/.*", "", $4); print $2, $4 }'
echo "</pre>"
