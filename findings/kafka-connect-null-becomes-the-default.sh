#!/usr/bin/env bash
# A transform that has nothing to do with a column writes the column's default in place of NULL, before the converter that
# is told not to.
#
# Library:    Kafka Connect 4.3.0 (connect-transforms, connect-json)
# Expected:   `replace.null.with.default=false` of JsonConverter keeps NULL. InsertField, which adds another field, copies
#             the columns as they are.
# Seen:       (below: the value of `closed_at`, NULL in the row, DEFAULT now() in the table)
#
#               JsonConverter, default setting                 0
#               JsonConverter, false                           null
#               InsertField, then JsonConverter false          0
#               InsertField false, then JsonConverter false    null
#
# Why:        Debezium names 0 as the default of what only the database can compute, such as DEFAULT now(). An open ticket
#             is closed in January 1970, and the converter's setting seems not to work. Cast, ExtractField, HeaderFrom,
#             MaskField, ReplaceField, SetSchemaMetadata, TimestampConverter and ValueToKey have the same setting.
# Workaround: `replace.null.with.default=false` on every transform of the chain, and on the converter.
# See also:   KIP-581 (the converter's setting), KIP-1040 (the transforms')
#
# Needs a JDK (17 or newer) and Maven instead of Python.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>connect-transforms</artifactId><version>4.3.0</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>connect-json</artifactId><version>4.3.0</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
XML
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib >mvn.log 2>&1 || { cat mvn.log >&2; exit 2; }

cat >Show.java <<'JAVA'
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.InsertField;

public class Show {
    static final Schema ROW = SchemaBuilder.struct()
        .field("id", Schema.INT64_SCHEMA)
        .field("closed_at", SchemaBuilder.int64().optional().defaultValue(0L).build())
        .build();

    static SourceRecord row() {
        Struct row = new Struct(ROW).put("id", 4711L).put("closed_at", null);
        return new SourceRecord(Map.of(), Map.of(), "tickets", ROW, row);
    }

    static SourceRecord inserted(Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(Map.of("static.field", "source", "static.value", "desk"));
        settings.putAll(more);
        InsertField.Value<SourceRecord> transform = new InsertField.Value<>();
        transform.configure(settings);
        return transform.apply(row());
    }

    static String closed(SourceRecord record, Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(Map.of("schemas.enable", "false"));
        settings.putAll(more);
        JsonConverter converter = new JsonConverter();
        converter.configure(settings, false);
        String json = new String(converter.fromConnectData("tickets", record.valueSchema(), record.value()));
        return json.replaceAll(".*\"closed_at\":([^,}]*).*", "$1");
    }

    static boolean same = true;

    static void show(String what, String found, String expected) {
        System.out.printf("%-46s %s%n", what, found);
        same &= found.equals(expected);
    }

    public static void main(String[] arguments) {
        Map<String, String> keep = Map.of("replace.null.with.default", "false");
        show("JsonConverter, default setting", closed(row(), Map.of()), "0");
        show("JsonConverter, false", closed(row(), keep), "null");
        show("InsertField, then JsonConverter false", closed(inserted(Map.of()), keep), "0");
        show("InsertField false, then JsonConverter false", closed(inserted(keep), keep), "null");
        System.exit(same ? 0 : 1);
    }
}
JAVA
java -cp 'lib/*' Show.java
