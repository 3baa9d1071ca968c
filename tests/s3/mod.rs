//! The job against a real S3 server over HTTP. `tests/run.sh` starts the servers and names them in
//! the environment; without them a test says so, loudly, and is counted as skipped.

use std::process::Command;

use crate::support::{parts, path, project, quickstart, run_ok, skipped, tamis};

struct Server {
    endpoint: String,
    bucket: String,
    access_key: String,
    secret_key: String,
}

/// The server named by `TAMIS_TEST_S3_*` (`prefix` empty) or `TAMIS_TEST_S3_AUTH_*`.
fn server(test: &str, prefix: &str) -> Option<Server> {
    let get = |name: &str| std::env::var(format!("TAMIS_TEST_S3_{prefix}{name}")).ok();
    let found = (|| {
        Some(Server {
            endpoint: get("ENDPOINT")?,
            bucket: get("BUCKET")?,
            access_key: get("ACCESS_KEY")?,
            secret_key: get("SECRET_KEY")?,
        })
    })();
    if found.is_none() {
        assert!(
            std::env::var("TAMIS_TEST_REQUIRE_S3").is_err(),
            "TAMIS_TEST_REQUIRE_S3 is set, but no S3 server is named"
        );
        skipped(test, "no S3 server");
    }
    found
}

impl Server {
    fn command(&self) -> Command {
        let mut command = tamis();
        command
            .env("AWS_ACCESS_KEY_ID", &self.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &self.secret_key)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL", &self.endpoint);
        command
    }

    #[track_caller]
    fn run(&self, arguments: &[&str], code: i32) -> String {
        let (found, stdout, stderr) = parts(&self.command().args(arguments).output().unwrap());
        assert_eq!(found, code, "tamis {arguments:?}\n{stdout}\n{stderr}");
        stdout
    }

    /// Puts every file below a folder under a prefix of the bucket.
    fn upload(&self, folder: &std::path::Path, prefix: &str) {
        use object_store::ObjectStoreExt;
        let store = object_store::aws::AmazonS3Builder::new()
            .with_endpoint(&self.endpoint)
            .with_allow_http(true)
            .with_region("us-east-1")
            .with_bucket_name(&self.bucket)
            .with_access_key_id(&self.access_key)
            .with_secret_access_key(&self.secret_key)
            .build()
            .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        for (name, bytes) in crate::support::files(folder) {
            let key = object_store::path::Path::from(format!("{prefix}/{name}"));
            runtime.block_on(store.put(&key, bytes.into())).unwrap();
        }
    }

    fn uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }
}

/// A prefix of its own for each test and process.
fn prefix(test: &str) -> String {
    format!("{test}-{}", std::process::id())
}

#[test]
fn s3_job_equals_the_local_job() {
    let Some(server) = server("s3_job_equals_the_local_job", "") else {
        return;
    };
    let prefix = prefix("job");
    server.upload(
        &project().join("examples/quickstart/corpus"),
        &format!("{prefix}/corpus"),
    );
    let (corpus, output) = (
        server.uri(&format!("{prefix}/corpus/")),
        server.uri(&format!("{prefix}/out")),
    );
    let set = format!("corpus.uri={corpus}");
    let job = [
        "run",
        "examples/quickstart/job.toml",
        "--output",
        output.as_str(),
        "--set",
        set.as_str(),
    ];
    let summary = server.run(&job, 0);
    assert!(summary.contains("400 rows in 6 files"), "{summary}");
    let again = server.run(&job, 0);
    assert!(again.contains("Nothing to do"), "{again}");
    server.run(&["verify", &output, "--inputs"], 0);
    let local = tempfile::tempdir().unwrap();
    quickstart(local.path());
    for folder in ["data", "review", "dropped", "quarantine"] {
        let list = |command: &dyn Fn(&str) -> String, root: &str| {
            command(&format!(
                "select * except (prov_input_uri, prov_input_etag, prov_job) from '{root}/{folder}/' order by prov_row_id"
            ))
        };
        let here = list(
            &|sql| run_ok(&["sql", "--format", "ndjson", sql], 0),
            path(local.path()),
        );
        let there = list(
            &|sql| server.run(&["sql", "--format", "ndjson", sql], 0),
            &output,
        );
        assert_eq!(here, there, "{folder}");
    }
    let row = server.run(
        &[
            "sql",
            "--format",
            "csv",
            &format!("select prov_row_id from '{output}/data/' limit 1"),
        ],
        0,
    );
    let row = row.lines().nth(1).unwrap().to_owned();
    assert!(
        server
            .run(&["trace", &output, "--row", &row], 0)
            .contains(&row)
    );
}

#[test]
fn s3_stray_and_damaged_objects_are_named() {
    let Some(server) = server("s3_stray_and_damaged_objects_are_named", "") else {
        return;
    };
    let prefix = prefix("damage");
    let output = server.uri(&format!("{prefix}/out"));
    server.run(
        &["run", "examples/quickstart/job.toml", "--output", &output],
        0,
    );
    let stray = tempfile::tempdir().unwrap();
    std::fs::write(stray.path().join("more.parquet"), b"x").unwrap();
    server.upload(stray.path(), &format!("{prefix}/out/data"));
    let text = server.run(&["verify", &output], 3);
    assert!(
        text.contains("data/more.parquet: not in the manifest"),
        "{text}"
    );
}

#[test]
fn s3_killed_job_completes() {
    let Some(server) = server("s3_killed_job_completes", "") else {
        return;
    };
    let output = server.uri(&format!("{}/out", prefix("killed")));
    let job = [
        "run",
        "examples/quickstart/job.toml",
        "--output",
        output.as_str(),
    ];
    for moment in [400, 900, 1500] {
        let mut run = server
            .command()
            .args(job)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(moment));
        let _ = run.kill();
        run.wait().unwrap();
    }
    server.run(&job, 0);
    server.run(&["verify", &output], 0);
}

#[test]
fn s3_purge_takes_rows_out() {
    let Some(server) = server("s3_purge_takes_rows_out", "") else {
        return;
    };
    let prefix = prefix("purge");
    let output = server.uri(&format!("{prefix}/out"));
    server.run(
        &["run", "examples/quickstart/job.toml", "--output", &output],
        0,
    );
    let row = |folder: &str| {
        let sql = format!("select prov_row_id from '{output}/{folder}/' limit 1");
        let text = server.run(&["sql", "--format", "csv", &sql], 0);
        text.lines().nth(1).unwrap().to_owned()
    };
    let rows = [row("data"), row("dropped")];
    let tickets = tempfile::tempdir().unwrap();
    std::fs::write(
        tickets.path().join("tickets.csv"),
        format!(
            "kind,value,ticket,received_at,reason\nrow,{},T-1,2026-11-18,x\nrow,{},T-1,2026-11-18,x\n",
            rows[0], rows[1]
        ),
    )
    .unwrap();
    server.upload(tickets.path(), &format!("{prefix}/tables"));
    let list = server.uri(&format!("{prefix}/tables/tickets.csv"));
    let purge = ["purge", output.as_str(), "--takedown", list.as_str()];
    for moment in [300, 800] {
        let mut run = server
            .command()
            .args(purge)
            .args(["--set", "as_of=2026-11-20"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(moment));
        let _ = run.kill();
        run.wait().unwrap();
    }
    server.run(&[&purge[..], &["--set", "as_of=2026-11-20"]].concat(), 0);
    let checks = server.run(&["verify", &output], 0);
    assert!(checks.contains("+ 2 purged"), "{checks}");
    for row in rows {
        let left = server.run(&["trace", &output, "--row", &row], 0);
        assert!(left.contains("left with a purge"), "{left}");
    }
}

#[test]
fn s3_no_such_bucket_says_so() {
    let Some(server) = server("s3_no_such_bucket_says_so", "") else {
        return;
    };
    let (code, _, error) = parts(
        &server
            .command()
            .args([
                "run",
                "examples/quickstart/job.toml",
                "--output",
                "s3://tamis-no-such-bucket/out",
            ])
            .output()
            .unwrap(),
    );
    assert_eq!(code, 1, "{error}");
    assert!(
        error.contains("bucket") && error.contains("tamis-no-such-bucket"),
        "{error}"
    );
}

#[test]
fn s3_bad_credentials_say_so_and_are_not_shown() {
    let Some(server) = server("s3_bad_credentials_say_so_and_are_not_shown", "AUTH_") else {
        return;
    };
    let output = server.uri(&format!("{}/out", prefix("bad")));
    for (name, value) in [
        ("AWS_SECRET_ACCESS_KEY", "wrong-secret-of-nobody"),
        ("AWS_ACCESS_KEY_ID", "AKIANOBODYATALL00000"),
    ] {
        let (code, _, error) = parts(
            &server
                .command()
                .env(name, value)
                .args(["run", "examples/quickstart/job.toml", "--output", &output])
                .output()
                .unwrap(),
        );
        assert_eq!(code, 1, "{error}");
        assert!(
            error.contains("credential") || error.contains("access key"),
            "{error}"
        );
        assert!(
            !error.contains("wrong-secret-of-nobody") && !error.contains(&server.secret_key),
            "{error}"
        );
    }
}
