use std::fs;
use std::io::Write;

use ::parquet::arrow::ArrowWriter;
use arrow::array::{BooleanArray, RecordBatch, StringArray, StringViewArray, TimestampSecondArray};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use tempfile::TempDir;

use super::*;

const COLUMNS: &[Column] = &[
    Column::required("id", Kind::Text),
    Column::required("at", Kind::Time),
    Column::optional("flag", Kind::Boolean),
];

/// One row as read: location, id, at, flag.
type Read = (String, Option<String>, Option<i64>, Option<bool>);

async fn read(path: &std::path::Path) -> Result<(Vec<Read>, TableSummary)> {
    let mut rows = Vec::new();
    let mut each = |row: &Row<'_>| {
        rows.push((
            row.location(),
            row.text(0).map(str::to_owned),
            row.time(1),
            row.boolean(2),
        ));
        Ok(())
    };
    let ctx = SessionContext::new();
    let uri = path.to_str().unwrap();
    let summary = read_rows(&ctx, "consent", uri, COLUMNS, &mut each).await?;
    Ok((rows, summary))
}

async fn read_text_file(name: &str, content: &str) -> Result<(Vec<Read>, TableSummary)> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    read(&path).await
}

/// The place and message of the error for a file's content.
async fn problem(name: &str, content: &str) -> (String, String) {
    match read_text_file(name, content).await.unwrap_err() {
        ResourceError::Malformed {
            uri,
            location,
            message,
        } => {
            assert!(uri.ends_with(name), "{uri}");
            (location, message)
        }
        other => panic!("{other}"),
    }
}

fn row(place: &str, id: Option<&str>, at: Option<i64>, flag: Option<bool>) -> Read {
    (place.to_owned(), id.map(str::to_owned), at, flag)
}

const DAY: i64 = 86_400_000_000;

fn expected(place: &str, first: u64) -> Vec<Read> {
    vec![
        row(
            &format!("{place} {first}"),
            Some("a, b"),
            Some(DAY),
            Some(true),
        ),
        row(&format!("{place} {}", first + 1), Some("𝒳"), None, None),
    ]
}

fn batch() -> RecordBatch {
    RecordBatch::try_from_iter([
        (
            "id",
            Arc::new(StringViewArray::from(vec!["a, b", "𝒳"])) as ArrayRef,
        ),
        ("note", Arc::new(StringArray::from(vec!["x", "y"]))),
        (
            "at",
            Arc::new(TimestampSecondArray::from(vec![Some(86_400), None])),
        ),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None]))),
    ])
    .unwrap()
}

#[tokio::test]
async fn every_format_gives_the_same_rows() {
    for (name, content, place, first) in [
        (
            "a.csv",
            "id,note,at,flag\n\"a, b\",x,1970-01-02,yes\n𝒳,y,,\n",
            "line",
            2,
        ),
        (
            "b.csv",
            "\u{FEFF}id,note,at,flag\r\n\"a, b\",x,1970-01-02,yes\r\n𝒳,y,,\r\n",
            "line",
            2,
        ),
        (
            "a.tsv",
            "at\tid\tnote\tflag\n1970-01-02T00:00:00Z\ta, b\tx\t1\n\t𝒳\ty\t",
            "line",
            2,
        ),
        (
            "a.ndjson",
            "\n{\"id\":\"a, b\",\"at\":\"1970-01-02\",\"flag\":true,\"note\":{\"n\":[1]}}\n{\"id\":\"𝒳\",\"at\":null}",
            "line",
            2,
        ),
        (
            "lines.json",
            "{\"id\":\"a, b\",\"at\":\"1970-01-02\",\"flag\":true,\"note\":1}\n{\"id\":\"𝒳\",\"at\":null}\n",
            "line",
            1,
        ),
        (
            "array.json",
            "\u{FEFF} [{\"id\":\"a, b\",\"at\":\"1970-01-02\",\"flag\":\"t\",\"note\":1},\n\n{\"id\":\"𝒳\",\"at\":null}] ",
            "row",
            1,
        ),
    ] {
        let (rows, summary) = read_text_file(name, content).await.unwrap();
        assert_eq!(rows, expected(place, first), "{name}");
        assert_eq!(summary.rows, 2);
        assert_eq!(
            summary.sha256,
            hex::encode(Sha256::digest(content)),
            "{name}"
        );
        assert_eq!(summary.warnings.len(), 1, "{name}");
        assert!(summary.warnings[0].ends_with(&format!("{name}: column note is not used")));
    }
}

#[tokio::test]
async fn binary_formats_give_the_same_rows() {
    let folder = TempDir::new().unwrap();
    let (batch, schema) = (batch(), batch().schema());
    let mut parquet = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), None).unwrap();
    parquet.write(&batch).unwrap();
    let parquet = parquet.into_inner().unwrap();
    let mut stream = arrow::ipc::writer::StreamWriter::try_new(Vec::new(), &schema).unwrap();
    stream.write(&batch).unwrap();
    let stream = stream.into_inner().unwrap();
    let mut file = arrow::ipc::writer::FileWriter::try_new(Vec::new(), &schema).unwrap();
    file.write(&batch).unwrap();
    let file = file.into_inner().unwrap();
    for (name, content) in [
        ("a.parquet", parquet),
        ("stream.arrow", stream),
        ("file.arrow", file),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, &content).unwrap();
        let (rows, summary) = read(&path).await.unwrap();
        assert_eq!(rows, expected("row", 1), "{name}");
        assert_eq!(
            summary.sha256,
            hex::encode(Sha256::digest(&content)),
            "{name}"
        );
        assert!(
            summary.warnings[0].ends_with("column note is not used"),
            "{name}"
        );

        fs::write(&path, &content[..content.len() / 2]).unwrap();
        let error = read(&path).await.unwrap_err();
        assert!(
            matches!(error, ResourceError::Malformed { .. }),
            "{name}: {error}"
        );
    }
}

#[tokio::test]
async fn compressed_text_is_read_and_its_stored_bytes_are_the_digest() {
    let content = "id,at\na,1970-01-02\n";
    let folder = TempDir::new().unwrap();
    for (name, compression) in [
        ("a.csv.gz", FileCompressionType::GZIP),
        ("a.csv.zst", FileCompressionType::ZSTD),
    ] {
        let stored = compressed(content, compression).await;
        let path = folder.path().join(name);
        fs::write(&path, &stored).unwrap();
        let (rows, summary) = read(&path).await.unwrap();
        assert_eq!(rows, [row("line 2", Some("a"), Some(DAY), None)], "{name}");
        assert_eq!(summary.sha256, hex::encode(Sha256::digest(&stored)));

        fs::write(&path, &stored[..stored.len() - 4]).unwrap();
        let error = read(&path).await.unwrap_err();
        assert!(
            matches!(error, ResourceError::Malformed { .. }),
            "{name}: {error}"
        );
    }
}

async fn compressed(content: &str, compression: FileCompressionType) -> Vec<u8> {
    use futures::{StreamExt, TryStreamExt};
    let bytes = bytes::Bytes::from(content.to_owned());
    let plain = futures::stream::iter([Ok(bytes)]).boxed();
    let chunks: Vec<_> = compression
        .convert_to_compress_stream(plain)
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    chunks.concat()
}

#[tokio::test]
async fn errors_name_the_place_and_no_value() {
    let csv = "id,at,flag\n\n\"a\nb\",1970-01-01,\n c,never ever,\n";
    let (place, message) = problem("a.csv", csv).await;
    assert_eq!(message, "column at is not a time (RFC 3339 or a date, UTC)");
    assert_eq!(place, "line 5");
    let crlf = "id,at,flag\r\na,1970-01-01,\r\nb,1970-01-01,maybe\r\n";
    assert_eq!(problem("a.csv", crlf).await.0, "line 3");
    assert_eq!(
        problem("a.csv", "id,at\na,1970-01-01\nb\n").await,
        (
            "line 3".to_owned(),
            "1 fields where the header has 2".to_owned()
        )
    );
    assert_eq!(
        problem(
            "a.ndjson",
            "{\"id\":\"a\",\"at\":null}\n\n{\"id\":[1],\"at\":null}\n"
        )
        .await,
        (
            "line 3".to_owned(),
            "column id is not a single value".to_owned()
        )
    );
    let (place, message) = problem("a.ndjson", "{\"id\":\"a\",\"at\":null}\n{\"id\":\"se\n").await;
    assert_eq!(place, "line 2");
    assert!(
        message.starts_with("not JSON") && !message.contains("se\n"),
        "{message}"
    );
    assert_eq!(
        problem(
            "a.json",
            "[{\"id\":\"a\",\"at\":null},{\"id\":\"b\",\"at\":5}]"
        )
        .await,
        (
            "row 2".to_owned(),
            "column at is not a time (RFC 3339 or a date, UTC)".to_owned()
        )
    );
    assert_eq!(
        problem("a.json", "[{\"id\":\"a\",\"at\":null}").await.0,
        "line 1"
    );
    assert_eq!(
        problem("a.json", "[1]").await,
        (
            "line 1".to_owned(),
            "not an object of single values".to_owned()
        )
    );
}

#[tokio::test]
async fn a_missing_header_is_an_error_in_every_format() {
    for (name, content) in [
        ("a.csv", "id,flag\na,true\n"),
        ("a.ndjson", "{\"id\":\"a\"}\n"),
        ("a.json", "[{\"id\":\"a\"}]"),
    ] {
        assert_eq!(
            problem(name, content).await,
            (
                "header".to_owned(),
                "column at is missing (needed: id, at)".to_owned()
            ),
            "{name}"
        );
    }
    assert_eq!(
        problem("a.csv", "").await,
        ("line 1".to_owned(), "there is no header".to_owned())
    );
    let (rows, _) = read_text_file("a.csv", "id,at\n").await.unwrap();
    assert_eq!(rows, []);
}

#[tokio::test]
async fn a_wrong_type_is_an_error_of_the_column() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.parquet");
    let batch = RecordBatch::try_from_iter([
        ("id", Arc::new(StringArray::from(vec!["a"])) as ArrayRef),
        ("at", Arc::new(arrow::array::Float64Array::from(vec![1.0]))),
    ])
    .unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    fs::write(&path, writer.into_inner().unwrap()).unwrap();
    let error = read(&path).await.unwrap_err().to_string();
    assert!(
        error.ends_with(
            ", header: column at has the type Float64, not a time (RFC 3339 or a date, UTC)"
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_folder_is_its_files_in_order() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    write("b/part.ndjson", "{\"id\":\"2\",\"at\":null}\n");
    write("a.csv", "id,at\n1,\n");
    write("_SUCCESS", "");
    write(".hidden.csv", "nothing");
    let (rows, summary) = read(folder.path()).await.unwrap();
    let places: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(places, ["a.csv, line 2", "b/part.ndjson, line 1"]);
    let lines = format!(
        "{}  a.csv\n{}  b/part.ndjson\n",
        hex::encode(Sha256::digest("id,at\n1,\n")),
        hex::encode(Sha256::digest("{\"id\":\"2\",\"at\":null}\n")),
    );
    assert_eq!(summary.sha256, hex::encode(Sha256::digest(lines)));
    assert_eq!(summary.files, 2);

    let (rows, _) = read(&folder.path().join("*.csv")).await.unwrap();
    assert_eq!(rows.len(), 1);

    write("b/broken.csv", "id,at\n1,x\n");
    let error = read(folder.path()).await.unwrap_err().to_string();
    assert!(
        error.contains(", b/broken.csv, line 2: column at is not a time"),
        "{error}"
    );

    write("b/broken.csv", "id,at\n");
    write("readme.txt", "what is this");
    let error = read(folder.path()).await.unwrap_err().to_string();
    assert!(
        error.contains("the format of readme.txt is not known by its name"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_whose_name_is_a_pattern_is_that_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a[1].csv");
    fs::write(&path, "id,at\n1,\n").unwrap();
    assert_eq!(read(&path).await.unwrap().0.len(), 1);
}

#[tokio::test]
async fn nothing_there_is_an_error_that_names_the_setting() {
    let folder = TempDir::new().unwrap();
    let error = read(&folder.path().join("absent.csv")).await.unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, ResourceError::Read { .. }));
    assert!(
        message.contains("absent.csv (setting tamis.consent): no such file"),
        "{message}"
    );
    let ctx = SessionContext::new();
    let none = &mut |_: &Row<'_>| Ok(());
    let error = read_rows(&ctx, "consent", "s3://nowhere/a.csv", COLUMNS, none)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("object store"), "{error}");
}

#[tokio::test]
async fn more_rows_than_a_batch_keep_their_places() {
    let rows = 20_000;
    let mut csv = "id,at\n".to_owned();
    let mut json = "[".to_owned();
    for number in 0..rows {
        csv.push_str(&format!("{number},\n"));
        json.push_str(&format!(
            "{}{{\"id\":{number},\"at\":null}}",
            if number == 0 { "" } else { "," }
        ));
    }
    json.push(']');
    for (name, content, last) in [("a.csv", csv, "line 20001"), ("a.json", json, "row 20000")] {
        let (read, summary) = read_text_file(name, &content).await.unwrap();
        assert_eq!(summary.rows, rows);
        assert_eq!(read.last().unwrap(), &row(last, Some("19999"), None, None));
    }
}

#[tokio::test]
async fn the_first_refusal_ends_the_reading() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.csv");
    let mut file = fs::File::create(&path).unwrap();
    writeln!(file, "id,at").unwrap();
    for number in 0..200_000 {
        writeln!(file, "{number},1970-01-01").unwrap();
    }
    drop(file);
    let mut seen = 0;
    let mut each = |row: &Row<'_>| {
        seen += 1;
        Err(ResourceError::Malformed {
            uri: "t".to_owned(),
            location: row.location(),
            message: "refused".to_owned(),
        })
    };
    let ctx = SessionContext::new();
    let uri = path.to_str().unwrap();
    let error = read_rows(&ctx, "consent", uri, COLUMNS, &mut each)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "t, line 2: refused");
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn object_stores_of_the_session_are_read() {
    use object_store::memory::InMemory;
    use object_store::{ObjectStoreExt, PutPayload};

    let store = Arc::new(InMemory::new());
    for (path, content) in [
        ("registry/2026/a.csv", "id,at\n1,\n"),
        ("registry/2026/b c.csv", "id,at\n2,\n"),
        ("registry/2025/a.csv", "id,at\n3,\n"),
    ] {
        let path = object_store::path::Path::from(path);
        store
            .put(&path, PutPayload::from_static(content.as_bytes()))
            .await
            .unwrap();
    }
    let ctx = SessionContext::new();
    ctx.register_object_store(&url::Url::parse("mem://bucket").unwrap(), store);
    for (uri, expected) in [
        ("mem://bucket/registry/2026/a.csv", vec!["1"]),
        ("mem://bucket/registry/2026/", vec!["1", "2"]),
        ("mem://bucket/registry", vec!["3", "1", "2"]),
        ("mem://bucket/registry/*/a.csv", vec!["3", "1"]),
    ] {
        let mut ids = Vec::new();
        let mut each = |row: &Row<'_>| {
            ids.push(row.text(0).unwrap().to_owned());
            Ok(())
        };
        read_rows(&ctx, "consent", uri, COLUMNS, &mut each)
            .await
            .unwrap();
        assert_eq!(ids, expected, "{uri}");
    }
    let none = &mut |_: &Row<'_>| Ok(());
    let error = read_rows(&ctx, "consent", "mem://bucket/other/", COLUMNS, none)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no such file"), "{error}");
}
