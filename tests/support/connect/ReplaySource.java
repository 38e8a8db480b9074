import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;

/**
 * Sends records of a file as another connector would: each line is {"topic", "key", "value"}, key and value in the
 * form of JsonConverter with schemas. The tests compile it and put it in place of connectors that Kafka does not bring.
 */
public class ReplaySource extends SourceConnector {
    private Map<String, String> settings;

    @Override
    public void start(Map<String, String> given) {
        settings = given;
    }

    @Override
    public Class<? extends Task> taskClass() {
        return ReplayTask.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int most) {
        return List.of(settings);
    }

    @Override
    public void stop() {}

    @Override
    public ConfigDef config() {
        return new ConfigDef().define(
            "replay.file", ConfigDef.Type.STRING, ConfigDef.Importance.HIGH, "JSON lines: topic, key, value");
    }

    @Override
    public String version() {
        return "1";
    }

    public static class ReplayTask extends SourceTask {
        private final ObjectMapper json = new ObjectMapper();
        private final JsonConverter converter = new JsonConverter();
        private Path file;

        @Override
        public void start(Map<String, String> settings) {
            file = Path.of(settings.get("replay.file"));
            // Nulls of columns with a default stay null: here the file is the source.
            converter.configure(Map.of("schemas.enable", "true", "replace.null.with.default", "false"), false);
        }

        @Override
        public List<SourceRecord> poll() throws InterruptedException {
            if (file == null) {
                Thread.sleep(100);
                return null;
            }
            List<SourceRecord> records = new ArrayList<>();
            try {
                for (String line : Files.readAllLines(file)) {
                    JsonNode given = json.readTree(line);
                    String topic = given.get("topic").asText();
                    SchemaAndValue key = read(topic, given.get("key"));
                    SchemaAndValue value = read(topic, given.get("value"));
                    records.add(new SourceRecord(
                        Map.of(), Map.of(), topic, null, key.schema(), key.value(), value.schema(), value.value()));
                }
            } catch (IOException error) {
                throw new IllegalStateException(error);
            }
            file = null;
            return records;
        }

        private SchemaAndValue read(String topic, JsonNode given) throws IOException {
            return given == null || given.isNull()
                ? SchemaAndValue.NULL
                : converter.toConnectData(topic, json.writeValueAsBytes(given));
        }

        @Override
        public void stop() {}

        @Override
        public String version() {
            return "1";
        }
    }
}
