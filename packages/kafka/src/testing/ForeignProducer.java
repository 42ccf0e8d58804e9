import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Sends records as other systems do, with Kafka's own Java client. Argument: the brokers. Standard
 * input contains one command per line, whose words are separated by blanks:
 *
 *   open NAME COMPRESSION        opens a producer
 *   open-tx NAME COMPRESSION     opens a transactional producer
 *   begin NAME, commit NAME, abort NAME
 *   flush NAME                   sends the waiting records, so that the next ones form a new batch
 *   done                         closes the producers, which sends all records, and prints `done`
 *   send NAME TOPIC PARTITION TIMESTAMP KEY VALUE HEADERS
 *
 * KEY, VALUE and the values of headers are `null`, `zeros:N` or Base64 after `=`. HEADERS is `-` or a
 * list of `NAME,VALUE` separated by `;`, with names in Base64. TIMESTAMP is `-` or milliseconds.
 */
public class ForeignProducer {
  private static final Map<String, KafkaProducer<byte[], byte[]>> PRODUCERS = new HashMap<>();

  public static void main(String[] arguments) throws Exception {
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      run(arguments[0], line.split(" "));
    }
  }

  private static void run(String brokers, String[] words) {
    if (words[0].equals("done")) {
      for (var producer : PRODUCERS.values()) producer.close();
      PRODUCERS.clear();
      System.out.println("done");
      return;
    }
    String name = words[1];
    var producer = PRODUCERS.get(name);
    switch (words[0]) {
      case "open" -> PRODUCERS.put(name, connect(brokers, words[2], null));
      case "open-tx" -> PRODUCERS.put(name, connect(brokers, words[2], name));
      case "begin" -> producer.beginTransaction();
      case "commit" -> producer.commitTransaction();
      case "abort" -> {
        // Without the flush, the producer would drop the records instead of sending them.
        producer.flush();
        producer.abortTransaction();
      }
      case "flush" -> producer.flush();
      case "send" -> send(producer, words);
      default -> throw new IllegalArgumentException(words[0]);
    }
  }

  private static void send(KafkaProducer<byte[], byte[]> producer, String[] words) {
    Long timestamp = words[4].equals("-") ? null : Long.valueOf(words[4]);
    var record = new ProducerRecord<byte[], byte[]>(
        words[2], Integer.valueOf(words[3]), timestamp, bytes(words[5]), bytes(words[6]));
    if (!words[7].equals("-")) {
      for (String header : words[7].split(";")) {
        String[] parts = header.split(",");
        String headerName = new String(Base64.getDecoder().decode(parts[0]), StandardCharsets.UTF_8);
        record.headers().add(new RecordHeader(headerName, bytes(parts[1])));
      }
    }
    producer.send(record, (sent, error) -> {
      if (error == null) return;
      error.printStackTrace();
      System.exit(1);
    });
  }

  private static KafkaProducer<byte[], byte[]> connect(
      String brokers, String compression, String transactionalId) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", brokers);
    settings.put("compression.type", compression);
    // Records form one batch until the next flush.
    settings.put("linger.ms", "60000");
    settings.put("batch.size", "900000");
    settings.put("max.request.size", "100000000");
    settings.put("buffer.memory", "200000000");
    if (transactionalId != null) settings.put("transactional.id", transactionalId);
    var serializer = new ByteArraySerializer();
    var producer = new KafkaProducer<byte[], byte[]>(settings, serializer, serializer);
    if (transactionalId != null) producer.initTransactions();
    return producer;
  }

  private static byte[] bytes(String word) {
    if (word.equals("null")) return null;
    if (word.startsWith("zeros:")) return new byte[Integer.parseInt(word.substring(6))];
    return Base64.getDecoder().decode(word.substring(1));
  }
}
