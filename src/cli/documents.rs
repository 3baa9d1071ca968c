//! The texts of a corpus, in the order of its files.

use datafusion::arrow::array::{Array, StringArray};
use datafusion::error::DataFusionError;
use futures::TryStreamExt;

use crate::cli::error::CliError;
use crate::session::stores::Stores;
use crate::session::{SessionOptions, session_context};

/// One text, with the value of the column that names it.
pub struct Document {
    /// Its row in the corpus, from 0; rows without a text count too.
    pub row: u64,
    /// The value of the id column, when one was asked for.
    pub id: Option<String>,
    /// The text.
    pub text: String,
}

/// Gives `each` the texts of a corpus, batch by batch; rows whose text is NULL are left out.
///
/// # Errors
/// [`CliError::Failed`] when the corpus does not read or has no such column, and what `each` gives.
pub async fn each_batch(
    stores: &Stores,
    corpus: &str,
    text: &str,
    id: Option<&str>,
    each: &mut (dyn FnMut(&[Document]) -> Result<(), CliError> + Send),
) -> Result<(), CliError> {
    let failed =
        |error: DataFusionError| CliError::Failed(format!("{corpus}: {}", error.strip_backtrace()));
    // One partition reads the files one after the other, so that rows can be counted.
    let context = session_context(SessionOptions {
        stores: stores.clone(),
        target_partitions: Some(1),
        ..SessionOptions::default()
    })?;
    let column = |name: &str| format!("arrow_cast(\"{}\", 'Utf8')", name.replace('"', "\"\""));
    let sql = format!(
        "SELECT {} AS text, {} AS id FROM '{}'",
        column(text),
        id.map_or_else(|| "arrow_cast(NULL, 'Utf8')".to_owned(), column),
        corpus.replace('\'', "''"),
    );
    let frame = context.sql(&sql).await.map_err(failed)?;
    let mut stream = frame.execute_stream().await.map_err(failed)?;
    let mut row = 0;
    while let Some(batch) = stream.try_next().await.map_err(failed)? {
        let texts = strings(batch.column(0).as_ref())?;
        let ids = strings(batch.column(1).as_ref())?;
        let documents: Vec<Document> = (0..batch.num_rows())
            .filter(|&at| texts.is_valid(at))
            .map(|at| Document {
                row: row + at as u64,
                id: ids.is_valid(at).then(|| ids.value(at).to_owned()),
                text: texts.value(at).to_owned(),
            })
            .collect();
        row += batch.num_rows() as u64;
        each(&documents)?;
    }
    Ok(())
}

fn strings(array: &dyn Array) -> Result<&StringArray, CliError> {
    array
        .as_any()
        .downcast_ref()
        .ok_or_else(|| CliError::Failed(format!("{} is not text", array.data_type())))
}
