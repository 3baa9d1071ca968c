//! What a failed request means, in words that say what to do next.

use std::error::Error as StdError;

use object_store::client::{HttpError, HttpErrorKind};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};

use super::stores::{SUPPORTED_CREDENTIALS, split_scheme};

/// The kinds of failure that a person can do something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreProblem {
    /// The bucket does not exist.
    NoSuchBucket,
    /// The object, file or directory does not exist.
    NoSuchObject,
    /// The server does not accept the keys: unknown, wrong, or run out.
    BadCredentials,
    /// There was nothing to sign with.
    NoCredentials,
    /// The bucket lies in another region than the one signed for.
    WrongRegion,
    /// The keys are known but may not do this, or the file system forbids it.
    NoPermission,
    /// Refused with 403 and no reason given: the keys or the permission.
    Refused,
    /// No connection to the endpoint.
    Unreachable,
    /// The endpoint is plain `http`, which was not allowed.
    PlainHttp,
    /// The server asked to slow down, again and again.
    Throttled,
    /// The object exists already, or is not the version that was asked for.
    Conflict,
    /// No space is left on the device.
    NoSpace,
    /// The server failed, or answered with something that does not parse.
    ServerFailure,
    /// None of these.
    Other,
}

/// Which problem an error of a store is. LIST errors arrive without a kind of their own, so the
/// status and the S3 error code in the chain of causes are what decides.
pub fn diagnose(error: &Error) -> StoreProblem {
    let facts = Facts::of(error);
    if let Some(problem) = facts.local {
        return problem;
    }
    if let Some(problem) = facts.code.as_deref().and_then(problem_of_code) {
        return problem;
    }
    if facts.text.contains("169.254.169.254")
        || facts.text.contains("/latest/api/token")
        || facts.text.contains("169.254.170.2")
    {
        return StoreProblem::NoCredentials;
    }
    if facts.text.contains("URL scheme is not allowed") {
        return StoreProblem::PlainHttp;
    }
    if facts.text.contains("redirect without LOCATION") {
        return StoreProblem::WrongRegion;
    }
    match facts.status {
        Some(301 | 307) => return StoreProblem::WrongRegion,
        Some(401) => return StoreProblem::BadCredentials,
        Some(403) => return StoreProblem::Refused,
        Some(404) => return StoreProblem::NoSuchObject,
        Some(409 | 412) => return StoreProblem::Conflict,
        Some(429 | 503) => return StoreProblem::Throttled,
        Some(500..) => return StoreProblem::ServerFailure,
        _ => {}
    }
    match facts.http {
        Some(HttpErrorKind::Connect | HttpErrorKind::Timeout) => return StoreProblem::Unreachable,
        Some(HttpErrorKind::Interrupted | HttpErrorKind::Request) => {
            return StoreProblem::ServerFailure;
        }
        Some(HttpErrorKind::Decode) => return StoreProblem::ServerFailure,
        _ => {}
    }
    match error {
        Error::NotFound { .. } => StoreProblem::NoSuchObject,
        Error::AlreadyExists { .. } | Error::Precondition { .. } => StoreProblem::Conflict,
        Error::PermissionDenied { .. } => StoreProblem::NoPermission,
        Error::Unauthenticated { .. } => StoreProblem::BadCredentials,
        _ => StoreProblem::Other,
    }
}

/// Says what went wrong at `uri` and what to do next, without secrets: of a server's answer only
/// its status, its error code and the region it names are repeated.
pub fn explain(error: &Error, uri: &str) -> String {
    let facts = Facts::of(error);
    let problem = diagnose(error);
    let local = split_scheme(uri).is_none_or(|(scheme, _)| scheme == "file");
    let code = facts
        .code
        .as_deref()
        .map(|code| format!(" ({code})"))
        .unwrap_or_default();
    match problem {
        StoreProblem::NoSuchBucket => {
            format!("{uri}: no such bucket{code}. Check the name, the region and the endpoint")
        }
        StoreProblem::NoSuchObject if local => format!("{uri}: no such file or directory"),
        StoreProblem::NoSuchObject => format!(
            "{uri}: no such object{code}. Check the bucket and the key; keys are case-sensitive"
        ),
        StoreProblem::BadCredentials => format!(
            "{uri}: the credentials were not accepted{code}. Check the access key, the secret \
             key, the session token and that they have not run out"
        ),
        StoreProblem::NoCredentials => {
            format!("{uri}: no credentials found. {SUPPORTED_CREDENTIALS}")
        }
        StoreProblem::WrongRegion => {
            let expected = match &facts.region {
                Some(region) => format!("the server says '{region}'"),
                None => "the server does not say which is right".to_owned(),
            };
            format!("{uri}: wrong region{code}; {expected}. Give it with --region or AWS_REGION")
        }
        StoreProblem::NoPermission if local => format!(
            "{uri}: no permission. Check the owner and the mode of the file and its directories"
        ),
        StoreProblem::NoPermission => format!(
            "{uri}: no permission{code}. The credentials are known to the server but may not do \
             this: reading needs s3:GetObject and s3:ListBucket, writing s3:PutObject, \
             s3:DeleteObject and s3:AbortMultipartUpload"
        ),
        StoreProblem::Refused => format!(
            "{uri}: refused (403) without a reason. Either the credentials are wrong or they may \
             not do this; the server also answers so for a missing object when s3:ListBucket is \
             not granted"
        ),
        StoreProblem::Unreachable => format!(
            "{uri}: cannot reach {}. Check the endpoint (--endpoint-url or AWS_ENDPOINT_URL), \
             the region and the network{}",
            facts.host.as_deref().unwrap_or("the endpoint"),
            detail(&facts.innermost)
        ),
        StoreProblem::PlainHttp => format!(
            "{uri}: the endpoint is plain http, which is not allowed. Use https, or --allow-http"
        ),
        StoreProblem::Throttled => format!(
            "{uri}: the server is overloaded or slows this client down{code}; tried again for \
             minutes. Run again later or with fewer workers"
        ),
        StoreProblem::Conflict => {
            format!("{uri}: the object exists already or was changed meanwhile{code}")
        }
        StoreProblem::NoSpace => {
            format!("{uri}: no space left on the device. Free some or write elsewhere")
        }
        StoreProblem::ServerFailure => {
            let status = facts.status.map(|status| format!(" with status {status}"));
            format!(
                "{uri}: the server failed{}{code} after all retries{}",
                status.unwrap_or_default(),
                // With a status the innermost message is the server's body: left out.
                if facts.status.is_some() {
                    String::new()
                } else {
                    detail(&facts.innermost)
                }
            )
        }
        StoreProblem::Other => match facts.status {
            Some(status) => format!("{uri}: the server answered with status {status}{code}"),
            None => format!("{uri}{}", detail(&facts.innermost)),
        },
    }
}

/// As [`explain`], for an error of asking about an object (HEAD). Such an answer has no body: where
/// it is a bare refusal, one byte is asked for, whose answer says why.
pub async fn explain_head(
    error: &Error,
    store: &dyn ObjectStore,
    path: &Path,
    uri: &str,
) -> String {
    if diagnose(error) == StoreProblem::Refused
        && let Err(error) = store.get_range(path, 0..1).await
    {
        return explain(&error, uri);
    }
    explain(error, uri)
}

fn detail(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

fn problem_of_code(code: &str) -> Option<StoreProblem> {
    Some(match code {
        "NoSuchBucket" => StoreProblem::NoSuchBucket,
        "NoSuchKey" | "NoSuchVersion" | "NoSuchUpload" => StoreProblem::NoSuchObject,
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "InvalidToken"
        | "TokenRefreshRequired"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "RequestTimeTooSkewed"
        | "InvalidSecurity" => StoreProblem::BadCredentials,
        "AuthorizationHeaderMalformed"
        | "PermanentRedirect"
        | "TemporaryRedirect"
        | "IllegalLocationConstraintException"
        | "InvalidRegion" => StoreProblem::WrongRegion,
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" | "NotSignedUp"
        | "MethodNotAllowed" => StoreProblem::NoPermission,
        "SlowDown"
        | "TooManyRequests"
        | "RequestLimitExceeded"
        | "ServiceUnavailable"
        | "Throttling"
        | "ThrottlingException" => StoreProblem::Throttled,
        "PreconditionFailed"
        | "ConditionalRequestConflict"
        | "OperationAborted"
        | "BucketAlreadyExists" => StoreProblem::Conflict,
        "InternalError" => StoreProblem::ServerFailure,
        _ => return None,
    })
}

/// What the chain of causes says.
#[derive(Default)]
struct Facts {
    /// The whole chain as one text; searched, never shown.
    text: String,
    status: Option<u16>,
    code: Option<String>,
    region: Option<String>,
    host: Option<String>,
    http: Option<HttpErrorKind>,
    local: Option<StoreProblem>,
    /// The message of the last cause.
    innermost: String,
}

impl Facts {
    fn of(error: &Error) -> Self {
        let mut facts = Self::default();
        let mut next: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(error) = next {
            let message = error.to_string();
            facts.text.push_str(&message);
            facts.text.push('\n');
            facts.innermost = message;
            if let Some(http) = error.downcast_ref::<HttpError>() {
                facts.http = Some(http.kind());
            }
            if let Some(io) = error.downcast_ref::<std::io::Error>()
                && facts.http.is_none()
            {
                facts.local = problem_of_io(io.kind());
            }
            next = error.source();
        }
        facts.status = number_after(&facts.text, "status code: ");
        facts.code = element(&facts.text, "Code");
        facts.region = element(&facts.text, "Region");
        facts.host = host(&facts.text);
        facts
    }
}

fn problem_of_io(kind: std::io::ErrorKind) -> Option<StoreProblem> {
    use std::io::ErrorKind;
    match kind {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Some(StoreProblem::NoSuchObject),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Some(StoreProblem::NoPermission)
        }
        ErrorKind::AlreadyExists => Some(StoreProblem::Conflict),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(StoreProblem::NoSpace),
        _ => None,
    }
}

fn number_after(text: &str, marker: &str) -> Option<u16> {
    let rest = &text[text.find(marker)? + marker.len()..];
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The text of the first XML element of that name, when it is short and plain: an error code or
/// a region, nothing a server could have put a secret into.
fn element(text: &str, name: &str) -> Option<String> {
    let open = format!("<{name}>");
    let start = text.find(&open)? + open.len();
    let end = start + text[start..].find("</")?;
    let value = text[start..end].trim();
    let plain = value.len() <= 64
        && !value.is_empty()
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    plain.then(|| value.to_owned())
}

/// Scheme, host and port of the first request URL in the text.
fn host(text: &str) -> Option<String> {
    let start = ["http://", "https://"]
        .iter()
        .filter_map(|scheme| text.find(scheme))
        .min()?;
    let url: String = text[start..]
        .chars()
        .take_while(|c| !c.is_whitespace() && !matches!(c, ')' | '"' | ','))
        .collect();
    let url = url::Url::parse(&url).ok()?;
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    Some(format!("{}://{}{port}", url.scheme(), url.host_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Answer(String);

    impl std::fmt::Display for Answer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(&self.0)
        }
    }

    impl StdError for Answer {}

    /// As a LIST error arrives: no kind, status and body in the text.
    fn listing(status: &str, code: &str) -> Error {
        let body = format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message>\
             <Region>eu-west-1</Region><StringToSign>SECRETISH</StringToSign></Error>"
        );
        Error::Generic {
            store: "S3",
            source: Box::new(Answer(format!(
                "Error performing list request: Error performing GET \
                 http://127.0.0.1:9/bucket in 1ms - Server returned non-2xx status code: {status}: {body}"
            ))),
        }
    }

    #[test]
    fn codes_decide_where_the_kind_is_missing() {
        let cases = [
            ("404 Not Found", "NoSuchBucket", StoreProblem::NoSuchBucket),
            (
                "403 Forbidden",
                "SignatureDoesNotMatch",
                StoreProblem::BadCredentials,
            ),
            (
                "403 Forbidden",
                "InvalidAccessKeyId",
                StoreProblem::BadCredentials,
            ),
            ("403 Forbidden", "AccessDenied", StoreProblem::NoPermission),
            (
                "400 Bad Request",
                "AuthorizationHeaderMalformed",
                StoreProblem::WrongRegion,
            ),
            ("503 Slow Down", "SlowDown", StoreProblem::Throttled),
            ("403 Forbidden", "", StoreProblem::Refused),
            ("500 Internal Server Error", "", StoreProblem::ServerFailure),
        ];
        for (status, code, expected) in cases {
            assert_eq!(
                diagnose(&listing(status, code)),
                expected,
                "{status} {code}"
            );
        }
    }

    #[test]
    fn a_message_names_place_and_next_step_and_no_body() {
        let message = explain(
            &listing("400 Bad Request", "AuthorizationHeaderMalformed"),
            "s3://b/k",
        );
        assert_eq!(
            message,
            "s3://b/k: wrong region (AuthorizationHeaderMalformed); the server says 'eu-west-1'. \
             Give it with --region or AWS_REGION"
        );
        for code in [
            "NoSuchBucket",
            "SignatureDoesNotMatch",
            "AccessDenied",
            "Strange",
            "",
        ] {
            let message = explain(&listing("403 Forbidden", code), "s3://b/k");
            assert!(message.starts_with("s3://b/k: "), "{message}");
            assert!(!message.contains("SECRETISH"), "{message}");
        }
    }

    #[test]
    fn a_local_file_is_not_called_an_object() {
        let missing = Error::NotFound {
            path: "/nowhere".to_owned(),
            source: Box::new(std::io::Error::from(std::io::ErrorKind::NotFound)),
        };
        assert_eq!(
            explain(&missing, "/nowhere"),
            "/nowhere: no such file or directory"
        );
        let denied = Error::Generic {
            store: "LocalFileSystem",
            source: Box::new(std::io::Error::from(std::io::ErrorKind::PermissionDenied)),
        };
        assert_eq!(diagnose(&denied), StoreProblem::NoPermission);
        assert!(explain(&denied, "/x").starts_with("/x: no permission"));
    }

    #[tokio::test]
    async fn a_closed_port_is_an_unreachable_endpoint() {
        use super::super::stores::{StoreOptions, Stores};
        use object_store::ObjectStoreExt;

        let port = {
            // Bound and dropped: nothing listens there for the time of the test.
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let options = StoreOptions {
            endpoint: Some(format!("http://127.0.0.1:{port}")),
            access_key_id: Some("AKIATEST".to_owned()),
            secret_access_key: Some("hunter2hunter2".to_owned()),
            ..StoreOptions::default()
        };
        let quick = object_store::aws::AmazonS3Builder::new()
            .with_endpoint(options.endpoint.clone().unwrap())
            .with_allow_http(true)
            .with_bucket_name("b")
            .with_access_key_id("AKIATEST")
            .with_secret_access_key("hunter2hunter2")
            .with_retry(object_store::RetryConfig {
                max_retries: 0,
                ..Default::default()
            })
            .build()
            .unwrap();
        let error = quick
            .head(&object_store::path::Path::from("k"))
            .await
            .unwrap_err();
        assert_eq!(diagnose(&error), StoreProblem::Unreachable);
        let message = explain(&error, "s3://b/k");
        assert!(
            message.contains(&format!("cannot reach http://127.0.0.1:{port}")),
            "{message}"
        );
        assert!(!message.contains("hunter2"), "{message}");
        let shown = format!("{options:?} {:?}", Stores::new(options.clone()));
        assert!(
            !shown.contains("hunter2") && !shown.contains("AKIATEST"),
            "{shown}"
        );
    }
}
