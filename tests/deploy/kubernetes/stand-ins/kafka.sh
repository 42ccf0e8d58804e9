#!/bin/busybox sh
# Starts Kafka as the image apache/kafka does: variables KAFKA_A_B become properties a.b.
set -eu
config=/tmp/server.properties
/bin/busybox env | /bin/busybox sed -n 's/^KAFKA_\([A-Z_]*\)=/\1 /p' | while read -r name value; do
  printf '%s=%s\n' "$(echo "$name" | /bin/busybox tr A-Z_ a-z.)" "$value"
done > "$config"
java -cp '/opt/kafka/*' kafka.tools.StorageTool format --ignore-formatted -t 5L6g3nShT-eMCtK--X86sw -c "$config"
exec java -Xmx512m -cp '/opt/kafka/*' kafka.Kafka "$config"
