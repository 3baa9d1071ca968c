//! Any bytes as a model: an error or a model whose probabilities lie in [0, 1], in memory bounded
//! by the file. The first byte chooses a header so that more of the format is reached.
#![no_main]

use tamis_harm::{Model, ModelMetadata, ModelOptions, Segmentation, Taxonomy, with_metadata};

libfuzzer_sys::fuzz_target!(|input: (u8, &[u8], &str)| {
    let (choice, bytes, text) = input;
    let file = match choice % 4 {
        0 => bytes.to_vec(),
        1 => [b"TAMISLM1", bytes].concat(),
        2 => [
            &793_712_314_i32.to_le_bytes()[..],
            &12_i32.to_le_bytes(),
            bytes,
        ]
        .concat(),
        _ => {
            let metadata = ModelMetadata {
                window: usize::from(choice),
                segmentation: Segmentation::Characters,
                ..ModelMetadata::default()
            };
            let file = [
                &793_712_314_i32.to_le_bytes()[..],
                &12_i32.to_le_bytes(),
                bytes,
            ]
            .concat();
            with_metadata(&file, &metadata)
        }
    };
    let options = ModelOptions::default();
    let Ok(model) = Model::from_bytes("fuzz", &file, &Taxonomy::builtin(), &options) else {
        return;
    };
    let texts = [text, "", "今天 price"];
    let outcome = model.probabilities(&texts, &mut |_, found| {
        assert_eq!(found.len(), model.risks().len());
        assert!(
            found
                .iter()
                .all(|probability| (0.0..=1.0).contains(probability))
        );
    });
    assert_eq!(outcome, Ok(()));
});
