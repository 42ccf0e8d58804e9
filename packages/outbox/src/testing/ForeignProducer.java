import java.nio.charset.StandardCharsets;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Sends records as other systems do, with Kafka's own Java client.
 * Arguments: the brokers, the topic, then one or more batches. A batch consists of `compression:TYPE`
 * and its values. The value `zeros:N` is replaced by N zeros. Each record has a null header
 * `no-value`, a header `twice` with two values, and headers named like members of JavaScript's
 * Object.prototype.
 */
public class ForeignProducer {
  public static void main(String[] arguments) throws Exception {
    KafkaProducer<byte[], byte[]> producer = null;
    for (int at = 2; at < arguments.length; at += 1) {
      String argument = arguments[at];
      if (argument.startsWith("compression:")) {
        if (producer != null) producer.close();
        producer = connect(arguments[0], argument.substring(12));
        continue;
      }
      byte[] value = argument.startsWith("zeros:")
          ? new byte[Integer.parseInt(argument.substring(6))]
          : bytes(argument);
      var record = new ProducerRecord<byte[], byte[]>(arguments[1], 0, null, value);
      record.headers().add(new RecordHeader("no-value", null));
      record.headers().add(new RecordHeader("twice", bytes("first")));
      record.headers().add(new RecordHeader("twice", bytes("second")));
      record.headers().add(new RecordHeader("constructor", bytes("theirs")));
      record.headers().add(new RecordHeader("__proto__", bytes("theirs")));
      producer.send(record, (sent, error) -> {
        if (error == null) return;
        error.printStackTrace();
        System.exit(1);
      });
    }
    producer.close();
  }

  private static KafkaProducer<byte[], byte[]> connect(String brokers, String compression) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", brokers);
    settings.put("compression.type", compression);
    // All records form one batch, which is sent when the producer is closed.
    settings.put("linger.ms", "60000");
    settings.put("batch.size", "900000");
    settings.put("max.request.size", "100000000");
    settings.put("buffer.memory", "100000000");
    var serializer = new ByteArraySerializer();
    return new KafkaProducer<>(settings, serializer, serializer);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
