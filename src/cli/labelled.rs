//! Labelled texts as the commands take them.

use clap::Args;
use tamis_harm::{LabelledText, Taxonomy};
use tamis_resource::nearest;

use crate::job::labelled::risks_of;
use crate::session::stores::Stores;

use super::documents::each_batch;
use super::error::CliError;

/// Where labelled texts are, and how they are labelled.
#[derive(Debug, Args)]
pub struct LabelledArgs {
    /// The column of the text
    #[arg(long, value_name = "COLUMN", default_value = "text")]
    pub text: String,
    /// The column of the label: risk ids (A4a, A2d|A4a), or clean
    #[arg(long, value_name = "COLUMN", default_value = "label")]
    pub label: String,
    /// What the labels 1, true and yes mean, a risk id
    #[arg(long, value_name = "RISK")]
    pub risk: Option<String>,
}

impl LabelledArgs {
    /// The labelled texts of tables, one after the other; rows without a text are left out.
    ///
    /// # Errors
    /// [`CliError::Usage`] for a label or `--risk` that names no risk, [`CliError::Failed`] when a
    /// table does not read.
    pub async fn read(
        &self,
        stores: &Stores,
        tables: &[String],
        taxonomy: &Taxonomy,
    ) -> Result<Vec<LabelledText>, CliError> {
        let risk = match &self.risk {
            None => None,
            Some(id) => Some(taxonomy.index(id).ok_or_else(|| {
                let ids = || taxonomy.risks().iter().map(|risk| risk.id.as_str());
                let near = nearest(id, ids())
                    .map_or(String::new(), |near| format!("; did you mean {near}?"));
                CliError::Usage(format!("--risk {id}: no such risk{near}"))
            })?),
        };
        let mut texts = Vec::new();
        for table in tables {
            let label = Some(self.label.as_str());
            each_batch(stores, table, &self.text, label, &mut |documents| {
                for document in documents {
                    let risks =
                        risks_of(document.id.as_deref(), risk, taxonomy).map_err(|message| {
                            CliError::Usage(format!(
                                "{table}, row {}, column {}: {message}",
                                document.row + 1,
                                self.label
                            ))
                        })?;
                    texts.push(LabelledText {
                        text: document.text.clone(),
                        risks,
                    });
                }
                Ok(())
            })
            .await?;
        }
        if texts.is_empty() {
            return Err(CliError::Usage(format!(
                "{}: no row has a text",
                tables.join(", ")
            )));
        }
        Ok(texts)
    }
}
