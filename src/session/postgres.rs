//! Consent records out of PostgreSQL, in one read-only transaction.

use futures::{StreamExt, pin_mut};
use tamis_consent::ConsentRow;
use tamis_resource::{ResourceError, nearest};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, IsolationLevel, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Columns the relation must have.
const REQUIRED: [&str; 8] = [
    "subject_id",
    "purpose",
    "kind",
    "status",
    "granted_at",
    "expires_at",
    "withdrawn_at",
    "record_id",
];
/// Columns it may have.
const OPTIONAL: [&str; 2] = ["evidence_uri", "subject_age_band"];
/// Those that hold an instant.
const TIMES: [&str; 3] = ["granted_at", "expires_at", "withdrawn_at"];

/// Why records could not be read. Never tells a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// The address is none, or the relation has not the columns of a consent registry.
    #[error("{0}")]
    Usage(String),
    /// The server cannot be reached, refuses, or breaks off.
    #[error("{0}")]
    Failed(String),
    /// A record was refused.
    #[error(transparent)]
    Resource(#[from] ResourceError),
}

/// Whether an address is one of a PostgreSQL server.
pub fn is_postgres(uri: &str) -> bool {
    uri.starts_with("postgresql://") || uri.starts_with("postgres://")
}

/// A relation of a PostgreSQL server.
#[derive(Debug)]
pub struct PostgresTable {
    config: Config,
    relation: String,
    shown: String,
}

impl PostgresTable {
    /// The relation (table or view, with its schema if that is not in the search path) behind an
    /// address. Without a password in the address `password` is used.
    ///
    /// # Errors
    /// [`PostgresError::Usage`] for an address that cannot be read.
    pub fn new(uri: &str, relation: &str, password: Option<&str>) -> Result<Self, PostgresError> {
        let mut config: Config = uri.parse().map_err(|_| {
            // The parser's own words may repeat a part of the address that is a password.
            PostgresError::Usage(
                "the address of the server cannot be read; write postgresql://USER@HOST:PORT/DATABASE, with special characters percent-encoded".to_owned(),
            )
        })?;
        if let (None, Some(password)) = (config.get_password(), password) {
            config.password(password);
        }
        config.application_name("tamis");
        let hosts: Vec<String> = config
            .get_hosts()
            .iter()
            .map(|host| match host {
                Host::Tcp(name) => name.clone(),
                #[cfg(unix)]
                Host::Unix(path) => path.display().to_string(),
            })
            .collect();
        let database = config.get_dbname().or(config.get_user());
        let shown = format!(
            "postgresql://{}/{} relation {relation}",
            hosts.join(","),
            database.unwrap_or_default()
        );
        Ok(Self {
            config,
            relation: relation.to_owned(),
            shown,
        })
    }

    /// The server, the database and the relation; no user and no password.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Hands every record to `each`, with its number from 1, as of one instant of the database.
    /// Times without a zone are UTC.
    ///
    /// # Errors
    /// [`PostgresError`], and the first error of `each`.
    pub async fn read(
        &self,
        each: &mut (dyn FnMut(u64, ConsentRow<'_>) -> Result<(), ResourceError> + Send),
    ) -> Result<u64, PostgresError> {
        // The connection ends with the client.
        let (mut client, connection) = match self.config.get_ssl_mode() {
            SslMode::Disable => {
                let connected = self.config.connect(NoTls).await;
                let (client, connection) = connected.map_err(|error| self.broken(&error))?;
                (client, tokio::spawn(connection))
            }
            _ => {
                let (tls, _) = MakeRustlsConnect::with_native_certs().map_err(|errors| {
                    let first = errors.first().map_or(String::new(), ToString::to_string);
                    self.failed(&format!(
                        "this system has no certificates to check the server's against ({first}); ?sslmode=disable does without TLS"
                    ))
                })?;
                let connected = self.config.connect(tls).await;
                let (client, connection) = connected.map_err(|error| self.broken(&error))?;
                (client, tokio::spawn(connection))
            }
        };
        let result = self.read_with(&mut client, each).await;
        drop(client);
        let _ = connection.await;
        result
    }

    async fn read_with(
        &self,
        client: &mut Client,
        each: &mut (dyn FnMut(u64, ConsentRow<'_>) -> Result<(), ResourceError> + Send),
    ) -> Result<u64, PostgresError> {
        let broken = |error| self.broken(&error);
        client
            .batch_execute("SET TIME ZONE 'UTC'")
            .await
            .map_err(broken)?;
        let transaction = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await
            .map_err(broken)?;
        // The server quotes the name as it is needed.
        let quoted: Option<String> = transaction
            .query_one("SELECT to_regclass($1)::text", &[&self.relation])
            .await
            .map_err(broken)?
            .get(0);
        let quoted = quoted.ok_or_else(|| {
            PostgresError::Usage(format!(
                "{}: there is no such table or view, or it may not be seen; name it with --relation SCHEMA.TABLE",
                self.shown
            ))
        })?;
        let described = transaction
            .prepare(&format!("SELECT * FROM {quoted} LIMIT 0"))
            .await
            .map_err(broken)?;
        let names: Vec<&str> = described
            .columns()
            .iter()
            .map(|column| column.name())
            .collect();
        let columns = self.columns(&names)?;
        let rows = transaction
            .query_raw(
                &format!("SELECT {columns} FROM {quoted}"),
                std::iter::empty::<&str>(),
            )
            .await
            .map_err(broken)?;
        pin_mut!(rows);
        let mut number = 0;
        while let Some(row) = rows.next().await {
            let row = row.map_err(broken)?;
            number += 1;
            each(number, record(&row))?;
        }
        Ok(number)
    }

    /// What to select, in the order of [`record`].
    fn columns(&self, names: &[&str]) -> Result<String, PostgresError> {
        let missing: Vec<String> = REQUIRED
            .into_iter()
            .filter(|required| !names.contains(required))
            .map(|required| match nearest(required, names.iter().copied()) {
                Some(near) => format!("{required} (is it {near}?)"),
                None => required.to_owned(),
            })
            .collect();
        if !missing.is_empty() {
            return Err(PostgresError::Usage(format!(
                "{}: columns are missing: {}. A view can rename what is there",
                self.shown,
                missing.join(", ")
            )));
        }
        let columns = REQUIRED.into_iter().chain(OPTIONAL).map(|name| {
            if !names.contains(&name) {
                return "NULL::text".to_owned();
            }
            match TIMES.contains(&name) {
                true => format!("(extract(epoch FROM {name}::timestamptz) * 1000000)::bigint"),
                false => format!("{name}::text"),
            }
        });
        Ok(columns.collect::<Vec<_>>().join(", "))
    }

    fn failed(&self, message: &str) -> PostgresError {
        PostgresError::Failed(format!("{}: {message}", self.shown))
    }

    fn broken(&self, error: &tokio_postgres::Error) -> PostgresError {
        // The server's words are in the cause; its `detail` may quote a row and is left out.
        let message = match error.as_db_error() {
            Some(error) => format!("{} ({})", error.message(), error.code().code()),
            None => match std::error::Error::source(error) {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            },
        };
        self.failed(&message)
    }
}

fn record(row: &Row) -> ConsentRow<'_> {
    let text = |index: usize| row.get::<_, Option<&str>>(index);
    let required = |index: usize| text(index).unwrap_or_default();
    ConsentRow {
        subject_id: required(0),
        purpose: required(1),
        kind: required(2),
        status: required(3),
        granted_at: row.get(4),
        expires_at: row.get(5),
        withdrawn_at: row.get(6),
        record_id: required(7),
        evidence_uri: text(8),
        subject_age_band: text(9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_errors_nor_names_tell_the_password() {
        let uri = "postgresql://u:s3cret@h:nonsense/d";
        let error = PostgresTable::new(uri, "consent", None).unwrap_err();
        assert!(!error.to_string().contains("s3cr"), "{error}");
        let table = PostgresTable::new("postgresql://u:s3cret@db.example/d", "consent", None);
        let table = table.unwrap();
        assert_eq!(table.shown(), "postgresql://db.example/d relation consent");
        assert!(!format!("{table:?}").contains("s3cret"));
    }

    #[test]
    fn missing_columns_are_named_with_what_is_near() {
        let table = PostgresTable::new("postgresql://h/d", "consent", None).unwrap();
        let names = [
            "subject",
            "purpose",
            "kind",
            "status",
            "granted_at",
            "expires_at",
            "withdrawn",
            "record_id",
        ];
        let error = table.columns(&names).unwrap_err().to_string();
        assert!(error.contains("withdrawn_at (is it withdrawn?)"), "{error}");
        assert!(error.contains("subject_id"), "{error}");
    }
}
