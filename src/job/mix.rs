//! The mix of a cleared dataset: languages, sources and regions, by the pack's `mix.sql`.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringArray};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::MemTable;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::prelude::SessionContext;
use tamis_resource::nearest;

use crate::session::stores::Stores;
use crate::session::{SessionOptions, session_context};

use super::error::{JobError, Result};
use super::evidence::source_records;
use super::output::Output;
use super::pack::Pack;
use super::run::committed;
use super::spec::Spec;

/// The mix of an output.
#[derive(Debug)]
pub struct Mix {
    /// The result of `mix.sql`.
    pub table: RecordBatch,
    /// How many findings it has.
    pub findings: usize,
}

/// Runs `mix.sql` of the job's pack over the kept rows of an output; `language` is a column of it.
///
/// # Errors
/// When there is no finished output, the column does not exist, or the job's pack is no longer
/// where it was or no longer what it was.
pub async fn mix(uri: &str, language: Option<&str>, stores: &Stores) -> Result<Mix> {
    let (output, manifest, spec) = committed(stores, uri).await?;
    let name = spec.pack.uri.strip_prefix("builtin:");
    let pack = Pack::load(name.unwrap_or(&spec.pack.uri))?;
    if pack.identity.sha256 != spec.pack.sha256 {
        return Err(JobError::usage(format!(
            "policy pack {} has changed since the job: its sha256 is {}, the job's was {}",
            spec.pack.uri, pack.identity.sha256, spec.pack.sha256
        )));
    }
    let ctx = session_context(SessionOptions {
        stores: stores.clone(),
        ..SessionOptions::default()
    })
    .map_err(|error| JobError::failed(error.to_string()))?;
    let files: Vec<String> = manifest
        .data_files()
        .filter(|file| file.verdict == "keep")
        .map(|file| output.path(&file.file.path).to_string())
        .collect();
    register_kept_rows(&ctx, &output, &files).await?;
    let regions = regions(&output).await?;
    ctx.register_table("regions", Arc::new(regions))?;
    let kept = ctx.sql(&kept_sql(&ctx, &spec, language).await?).await?;
    ctx.register_table("kept", kept.into_view())?;
    let plan = ctx.state().create_logical_plan(pack.mix_sql()).await;
    let plan = plan
        .and_then(|plan| plan.with_param_values(pack.sql_parameters().map_err(external)?))
        .map_err(|error| {
            JobError::usage(format!(
                "policy pack {}, mix.sql: {}",
                pack.identity.uri,
                error.strip_backtrace()
            ))
        })?;
    let frame = ctx.execute_logical_plan(plan).await?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await?;
    let table = concat_batches(&schema, &batches)?;
    without_nulls(table)
}

fn external(error: JobError) -> datafusion::error::DataFusionError {
    datafusion::error::DataFusionError::External(Box::new(error))
}

/// The table `rows`: the files of `data/` that the manifest names, and no others.
async fn register_kept_rows(ctx: &SessionContext, output: &Output, files: &[String]) -> Result<()> {
    let store = output.location().store_url();
    ctx.register_object_store(&store, Arc::clone(output.store()));
    let urls = files
        .iter()
        .map(|path| {
            let path = path.trim_start_matches('/');
            ListingTableUrl::parse(format!("{}/{path}", store.as_str().trim_end_matches('/')))
        })
        .collect::<datafusion::error::Result<Vec<_>>>()?;
    let options = ListingOptions::new(Arc::new(ParquetFormat::default()));
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .infer_schema(&ctx.state())
        .await?;
    ctx.register_table("rows", Arc::new(ListingTable::try_new(config)?))?;
    Ok(())
}

/// The region of each source, as the registry had it when the job ran.
async fn regions(output: &Output) -> Result<MemTable> {
    let regions: BTreeMap<String, Option<String>> = source_records(output)
        .await?
        .into_iter()
        .map(|(id, record)| {
            let region = record["origin_region"].as_str().map(str::to_owned);
            (id, region)
        })
        .collect();
    let schema = Arc::new(Schema::new(vec![
        Field::new("source_id", DataType::Utf8, false),
        Field::new("origin_region", DataType::Utf8, true),
    ]));
    let ids: StringArray = regions.keys().map(|id| Some(id.as_str())).collect();
    let values: StringArray = regions.values().map(Option::as_deref).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(ids), Arc::new(values)])?;
    Ok(MemTable::try_new(schema, vec![vec![batch]])?)
}

async fn kept_sql(ctx: &SessionContext, spec: &Spec, language: Option<&str>) -> Result<String> {
    let rows = ctx.table("rows").await?;
    let names: Vec<&str> = rows
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let language = match language {
        None => "'und'".to_owned(),
        Some(name) if names.contains(&name) => {
            format!("coalesce(CAST({} AS VARCHAR), 'und')", quoted(name))
        }
        Some(name) => {
            let near = nearest(name, names.iter().copied())
                .map_or_else(String::new, |near| format!(" Did you mean `{near}`?"));
            return Err(JobError::usage(format!(
                "--language: data/ has no column `{name}`.{near} The columns are {}",
                names.join(", ")
            )));
        }
    };
    let text = spec.columns.text.as_deref().unwrap_or_default();
    let text = spec.rename.get(text).map_or(text, String::as_str);
    Ok(format!(
        "SELECT kept.*, coalesce(regions.origin_region, 'unknown') AS origin_region FROM (\
         SELECT prov_source_id AS source_id, prov_acquisition_mode AS acquisition_mode, \
         {language} AS language, count(*) AS row_count, sum(octet_length({text})) AS text_bytes \
         FROM rows GROUP BY 1, 2, 3) AS kept \
         LEFT JOIN regions ON kept.source_id = regions.source_id",
        text = quoted(text)
    ))
}

/// Leaves the NULL elements of `findings` out and counts the others.
fn without_nulls(table: RecordBatch) -> Result<Mix> {
    let schema = table.schema();
    let Some(index) = schema.index_of("findings").ok() else {
        return Err(JobError::usage(
            "mix.sql: its result has no column findings",
        ));
    };
    let lists = table.column(index).as_list_opt::<i32>().ok_or_else(|| {
        JobError::usage("mix.sql: findings must be a list of structs {rule, clause, detail}")
    })?;
    let mut lengths = Vec::with_capacity(lists.len());
    let mut places = Vec::new();
    for row in 0..lists.len() {
        let before = places.len();
        if lists.is_valid(row) {
            let from = lists.value_offsets()[row] as usize;
            let to = lists.value_offsets()[row + 1] as usize;
            let present = (from..to).filter(|place| lists.values().is_valid(*place));
            places.extend(present.map(|place| place as u64));
        }
        lengths.push(places.len() - before);
    }
    let findings = places.len();
    let places = datafusion::arrow::array::UInt64Array::from(places);
    let values = datafusion::arrow::compute::take(lists.values(), &places, None)?;
    let DataType::List(item) = lists.data_type() else {
        return Err(JobError::usage("mix.sql: findings must be a list"));
    };
    let lists = datafusion::arrow::array::ListArray::try_new(
        Arc::clone(item),
        datafusion::arrow::buffer::OffsetBuffer::from_lengths(lengths),
        values,
        None,
    )?;
    let mut columns = table.columns().to_vec();
    columns[index] = Arc::new(lists);
    Ok(Mix {
        table: RecordBatch::try_new(schema, columns)?,
        findings,
    })
}
