//! The store registry of a session: any bucket is found when a query first names it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
};
use url::Url;

use super::files::is_hidden_below;
use super::stores::Stores;

/// Finds the store of a URL: one registered by hand, else the one [`Stores`] makes.
#[derive(Debug)]
pub(crate) struct SessionStores {
    stores: Stores,
    by_hand: DefaultObjectStoreRegistry,
}

impl SessionStores {
    pub(crate) fn new(stores: Stores) -> Self {
        Self {
            stores,
            by_hand: DefaultObjectStoreRegistry::new(),
        }
    }
}

impl ObjectStoreRegistry for SessionStores {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        self.by_hand.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.by_hand.deregister_store(url)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let store = match self.by_hand.get_store(url) {
            Ok(store) => store,
            Err(_) => self
                .stores
                .store_of(url)
                .map_err(|error| DataFusionError::External(Box::new(error)))?,
        };
        Ok(Arc::new(WithoutHidden { store }))
    }
}

/// A store whose listings leave out names that begin with `_` or `.` below the prefix asked for,
/// as readers of directories do everywhere: markers, receipts, checksums and temporary files are
/// not data. Asked for by name, they are read like any other.
#[derive(Debug)]
struct WithoutHidden {
    store: Arc<dyn ObjectStore>,
}

impl fmt::Display for WithoutHidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for WithoutHidden {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(
        &self,
        location: &Path,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        self.store.get_opts(location, options).await
    }

    async fn get_ranges(
        &self,
        location: &Path,
        ranges: &[std::ops::Range<u64>],
    ) -> object_store::Result<Vec<bytes::Bytes>> {
        self.store.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        without_hidden(self.store.list(prefix), prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        without_hidden(self.store.list_with_offset(prefix, offset), prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        let root = prefix.cloned().unwrap_or_default();
        let mut result = self.store.list_with_delimiter(prefix).await?;
        result
            .objects
            .retain(|object| !is_hidden_below(&root, &object.location));
        result
            .common_prefixes
            .retain(|path| !is_hidden_below(&root, path));
        Ok(result)
    }

    async fn copy_opts(
        &self,
        from: &Path,
        to: &Path,
        options: CopyOptions,
    ) -> object_store::Result<()> {
        self.store.copy_opts(from, to, options).await
    }

    async fn rename_opts(
        &self,
        from: &Path,
        to: &Path,
        options: RenameOptions,
    ) -> object_store::Result<()> {
        self.store.rename_opts(from, to, options).await
    }
}

fn without_hidden(
    listing: BoxStream<'static, object_store::Result<ObjectMeta>>,
    prefix: Option<&Path>,
) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
    let root = prefix.cloned().unwrap_or_default();
    listing
        .filter(move |entry| {
            let shown = match entry {
                Ok(object) => !is_hidden_below(&root, &object.location),
                Err(_) => true,
            };
            std::future::ready(shown)
        })
        .boxed()
}
