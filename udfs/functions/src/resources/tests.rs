use std::fs;

use tempfile::TempDir;

use tamis_harm::{ALLOW, MatchKind};

use super::*;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// Writes a file and gives its path.
    fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

async fn load(settings: &[(&str, &str)]) -> Result<Resources> {
    use datafusion::common::config::ExtensionOptions;
    let mut named = TamisSettings::default();
    for (name, value) in settings {
        named.set(name, value).unwrap();
    }
    Resources::load(&SessionContext::new(), &named).await
}

async fn error(settings: &[(&str, &str)]) -> String {
    load(settings).await.unwrap_err().to_string()
}

#[tokio::test]
async fn nothing_set_is_the_builtin() {
    let loaded = load(&[]).await.unwrap();
    let builtin = Resources::builtin().unwrap();
    assert_eq!(loaded.identities(), builtin.identities());
    let names: Vec<&str> = loaded
        .identities()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["lexicon", "thresholds", "license_policy"]);
    assert!(loaded.as_of_defaulted);
    assert_eq!(
        (loaded.purpose.as_str(), loaded.use_case.as_str()),
        ("model-training", "train-commercial")
    );
    let by_name = load(&[("lexicon", "builtin:lexicon")]).await.unwrap();
    assert_eq!(by_name.identities(), builtin.identities());
}

#[tokio::test]
async fn values_are_taken_and_checked() {
    let loaded = load(&[
        ("as_of", "1970-01-02"),
        ("purpose", "research"),
        ("use", "redistribute"),
    ])
    .await
    .unwrap();
    assert_eq!(
        (loaded.as_of, loaded.as_of_defaulted),
        (86_400_000_000, false)
    );
    assert_eq!(
        (loaded.purpose.as_str(), loaded.use_case.as_str()),
        ("research", "redistribute")
    );
    assert!(
        error(&[("as_of", "soon")])
            .await
            .contains("tamis.as_of, value: 'soon' is not an instant")
    );
    assert!(
        error(&[("use", "redistribut")])
            .await
            .contains("did you mean 'redistribute'?")
    );
    assert!(
        error(&[("lexicon", "builtin:lexcion")])
            .await
            .contains("did you mean 'builtin:lexicon'?")
    );
}

#[tokio::test]
async fn a_model_that_is_none_is_refused_by_name() {
    let folder = Folder::new();
    let model = folder.file("a.model", "no model at all");
    let error = error(&[("model", &model)]).await;
    assert!(error.contains(&model), "{error}");
}

#[tokio::test]
async fn lexicons_of_every_format_are_one() {
    let folder = Folder::new();
    let csv = folder.file(
        "a.csv",
        "term,risk,weight,match\n# ours\nsell your kidney,A4a,0.9,\nkidney beans,allow,,word\n",
    );
    let ndjson = folder.file(
        "a.ndjson",
        "{\"term\":\"sell your kidney\",\"risk\":\"A4a\",\"weight\":0.9}\n{\"term\":\"kidney beans\",\"risk\":\"allow\",\"match\":\"word\"}\n",
    );
    let json = folder.file(
        "a.json",
        "[{\"term\":\"sell your kidney\",\"risk\":\"A4a\",\"weight\":0.9},{\"term\":\"kidney beans\",\"risk\":\"allow\",\"match\":\"word\"}]",
    );
    for uri in [&csv, &ndjson, &json] {
        let loaded = load(&[("lexicon", uri)]).await.unwrap();
        let entries = loaded.judge.lexicon().entries();
        assert_eq!(entries.len(), 2, "{uri}");
        assert_eq!(
            (entries[0].term.as_str(), entries[0].weight),
            ("sell your kidney", 0.9)
        );
        assert_eq!(
            (entries[1].risk.as_str(), entries[1].match_kind),
            (ALLOW, MatchKind::Word)
        );
        let identity = loaded.judge.lexicon().identity();
        assert_eq!(identity.uri, *uri);
        assert_eq!(
            identity.sha256,
            tamis_resource::sha256_hex(&fs::read(uri).unwrap())
        );
        assert_eq!(
            loaded
                .judge
                .is_harmful(&["sell your kidney", "kidney beans"], None)
                .unwrap(),
            [true, false]
        );
    }
    let extra = folder.file(
        "x.csv",
        "# ours\nterm, risk,weight,author\nsell it all,A4a,0.9,me\n",
    );
    let loaded = load(&[("lexicon", &extra)]).await.unwrap();
    assert_eq!(
        loaded.warnings,
        [format!("{extra}: column author is not used")]
    );
    let misspelt = folder.file(
        "m.ndjson",
        "{\"term\":\"a b\",\"risk\":\"A4a\",\"weight\":0.9,\"varients\":\"none\"}\n",
    );
    assert_eq!(
        error(&[("lexicon", &misspelt)]).await,
        format!("{misspelt}, header: unknown column varients: did you mean variants?")
    );
    let broken = folder.file("b.csv", "term,risk,weight\nok then,A4a,0.9\nnext,A9z,0.9\n");
    let message = error(&[("lexicon", &broken)]).await;
    assert!(
        message.starts_with(&format!("{broken}, line 3: ")),
        "{message}"
    );
    let broken = folder.file(
        "b.json",
        "[{\"term\":\"a b\",\"risk\":\"A4a\",\"weight\":\"much\"}]",
    );
    let message = error(&[("lexicon", &broken)]).await;
    assert_eq!(
        message,
        format!("{broken}, row 1: column weight is not a number")
    );
}

#[tokio::test]
async fn text_resources_are_read_and_named() {
    let folder = Folder::new();
    let thresholds = folder.file("t.toml", "default = 1.0\n");
    let loaded = load(&[("thresholds", &thresholds)]).await.unwrap();
    assert_eq!(loaded.judge.thresholds().identity().uri, thresholds);
    let broken = folder.file("b.toml", "default = = 1\n");
    assert!(
        error(&[("thresholds", &broken)])
            .await
            .contains("b.toml, line 1")
    );
    assert!(
        error(&[("license_policy", &broken)])
            .await
            .contains("b.toml, line 1")
    );
    let policy = folder.file("p.toml", LicensePolicy::BUILTIN_TOML);
    let loaded = load(&[("license_policy", &policy)]).await.unwrap();
    assert_eq!(loaded.license_policy.identity().uri, policy);
    let absent = format!("{policy}.absent");
    let message = error(&[("license_policy", &absent)]).await;
    assert!(
        message.contains("(setting tamis.license_policy): no such file"),
        "{message}"
    );
}

const CONSENT: &str =
    "subject_id,purpose,kind,status,granted_at,expires_at,withdrawn_at,record_id,team\n";

#[tokio::test]
async fn registries_come_from_tables() {
    let folder = Folder::new();
    let consent = folder.file(
        "consent.csv",
        &format!("{CONSENT}u1,any,written,granted,2025-01-01,,,r1,x\nu1,any,general,granted,2025-01-01,,2025-02-01T00:00:00+08:00,r2,x\n"),
    );
    let sources = folder.file(
        "sources.csv",
        "source_id,acquisition_mode,origin_region,is_link_list\ns1,synthetic,cn,no\n",
    );
    let loaded = load(&[("consent", &consent), ("sources", &sources)])
        .await
        .unwrap();
    assert_eq!(loaded.consent.as_ref().unwrap().len(), 2);
    assert_eq!(loaded.sources.as_ref().unwrap().len(), 1);
    assert_eq!(
        loaded.warnings,
        [format!("{consent}: column team is not used")]
    );
    let names: Vec<&str> = loaded
        .identities()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        [
            "lexicon",
            "thresholds",
            "license_policy",
            "sources",
            "consent",
            "purposes"
        ]
    );

    let wrong = folder.file(
        "wrong.csv",
        &format!(
            "{CONSENT}u1,any,written,granted,2025-01-01,,,r1,\nu2,any,spoken,granted,,,,r2,\n"
        ),
    );
    let message = error(&[("consent", &wrong)]).await;
    assert!(
        message.starts_with(&format!("{wrong}, line 3: unknown kind")),
        "{message}"
    );
    let empty = folder.file(
        "empty.csv",
        &format!("{CONSENT}u1,any,written,granted,,,,,\n"),
    );
    assert!(
        error(&[("consent", &empty)])
            .await
            .contains("empty.csv, line 2: ")
    );
    let misspelt = folder.file("m.csv", &CONSENT.replace("withdrawn_at", "withdraw_at"));
    assert_eq!(
        error(&[("consent", &misspelt)]).await,
        format!("{misspelt}, header: unknown column withdraw_at: did you mean withdrawn_at?")
    );
}

#[tokio::test]
async fn the_subject_key_comes_from_a_file_or_the_environment() {
    let folder = Folder::new();
    let key = folder.file("subject.key", "0123456789abcdef0123456789abcdef\n");
    let loaded = load(&[("subject_key", &key)]).await.unwrap();
    let (name, identity) = loaded.identities().pop().unwrap();
    assert_eq!((name, identity.version.len()), ("subject_key", 16));
    assert_eq!((identity.uri.as_str(), identity.sha256.as_str()), ("", ""));
    assert!(!format!("{loaded:?}").contains("0123456789abcdef"));
    let short = folder.file("short.key", "abc");
    let message = error(&[("subject_key", &short)]).await;
    assert!(
        message.contains("has 3 bytes") && !message.contains("abc"),
        "{message}"
    );
    assert_eq!(
        error(&[("subject_key", "env:TAMIS_NO_SUCH_KEY")]).await,
        "cannot read env:TAMIS_NO_SUCH_KEY (setting tamis.subject_key): the environment variable TAMIS_NO_SUCH_KEY is not set"
    );
}

#[test]
fn loading_can_be_spawned() {
    fn is_send<T: Send>(_: &T) {}
    let ctx = SessionContext::new();
    let settings = TamisSettings::default();
    is_send(&Resources::load(&ctx, &settings));
}

#[tokio::test]
async fn lexicons_are_layered_and_dated() {
    let folder = tempfile::tempdir().unwrap();
    let ours = folder.path().join("ours.csv");
    std::fs::write(
        &ours,
        "# updated: 2026-11-20\nterm,risk,weight\nglorp the bank,A1h,0.9\nrob the bank,allow,\n",
    )
    .unwrap();
    let ours = ours.to_str().unwrap();
    let alone = load(&[("lexicon", ours)]).await.unwrap();
    assert_eq!(alone.judge.lexicon().identity().version, "2026-11-20");
    let uri = format!("builtin:lexicon|{ours}");
    let loaded = load(&[("lexicon", &uri)]).await.unwrap();
    let lexicon = loaded.judge.lexicon();
    assert_eq!(lexicon.identity().uri, uri);
    assert!(lexicon.entries().len() > alone.judge.lexicon().entries().len() + 4000);
    let harmful = |text: &str| loaded.judge.is_harmful(&[text], None).unwrap()[0];
    assert!(harmful("glorp the bank"));
    assert!(
        harmful("stolen accounts for sale"),
        "the layer below still judges"
    );
    assert!(
        error(&[("lexicon", "builtin:words|builtin:lexicon")])
            .await
            .contains("builtin:words")
    );
}
