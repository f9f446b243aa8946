//! Snapshots as safetensors, beside the reference implementation.

use moments::{
    Adam, Error, Optimizer, ParameterState, Snapshot, SnapshotError, StateTensor, Storage,
};
use safetensors::SafeTensors;
use serde_json::{Value, json};

fn two() -> Snapshot {
    let bias = ParameterState::new::<f64>("NAdam", 4, &[2])
        .named("bias")
        .scalar("mu_product", 0.1)
        .tensor("exp_avg", &[1.0, -2.0])
        .tensor("exp_avg_sq", &[1.0, 4.0]);
    let weight = ParameterState::new::<f32>("Adafactor", 4, &[2, 3])
        .named("layer.weight")
        .tensor_of_shape("row_var", &[2, 1], &[0.5_f32, 0.25])
        .tensor_of_shape("col_var", &[1, 3], &[1.0_f32, 2.0, 3.0]);
    Snapshot::new(vec![weight, bias])
}

/// A file with this header over these bytes.
fn file(header: &Value, data: &[u8]) -> Vec<u8> {
    raw(header.to_string().as_bytes(), data)
}

fn raw(header: &[u8], data: &[u8]) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend(data);
    file
}

fn header(file: &[u8]) -> Value {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    serde_json::from_slice(&file[8..8 + length]).unwrap()
}

#[track_caller]
fn refuses(file: &[u8], expected: &str) {
    let error = Snapshot::from_safetensors(file).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn the_reference_reads_what_we_write() {
    let bytes = two().to_safetensors().unwrap();
    let found = SafeTensors::deserialize(&bytes).unwrap();
    let mut names = found.names();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "bias.exp_avg",
            "bias.exp_avg_sq",
            "layer.weight.col_var",
            "layer.weight.row_var"
        ]
    );
    let tensor = found.tensor("layer.weight.col_var").unwrap();
    assert_eq!(
        (tensor.dtype(), tensor.shape()),
        (safetensors::Dtype::F32, &[1, 3][..])
    );
    assert_eq!(
        tensor.data(),
        [1.0_f32, 2.0, 3.0].map(f32::to_le_bytes).as_flattened()
    );
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(metadata.metadata().as_ref().unwrap()["format"], "moments");
}

#[test]
fn the_reference_reads_reduced_state() {
    for (storage, dtype) in [
        (Storage::Bf16, safetensors::Dtype::BF16),
        (Storage::Bits8, safetensors::Dtype::U8),
    ] {
        let mut opt = Optimizer::<_, f32>::with_storage(Adam::default(), storage);
        opt.step(&mut [1.0; 300], &[0.5; 300]).unwrap();
        let bytes = opt.snapshot().to_safetensors().unwrap();
        let found = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(found.tensor("exp_avg").unwrap().dtype(), dtype);
    }
}

#[test]
fn we_read_what_the_reference_writes() {
    let ours = two().to_safetensors().unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&ours).unwrap();
    let found = SafeTensors::deserialize(&ours).unwrap();
    let theirs = safetensors::serialize(found.tensors(), metadata.metadata().clone()).unwrap();
    assert_eq!(Snapshot::from_safetensors(&theirs).unwrap(), two());
}

#[test]
fn the_same_record_gives_the_same_bytes_and_every_tensor_is_aligned() {
    let bytes = two().to_safetensors().unwrap();
    assert_eq!(two().to_safetensors().unwrap(), bytes);
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    assert_eq!(length % 8, 0);
    let header = header(&bytes);
    for (name, entry) in header.as_object().unwrap() {
        if name != "__metadata__" {
            let size = if entry["dtype"] == "F64" { 8 } else { 4 };
            assert_eq!(
                entry["data_offsets"][0].as_u64().unwrap() % size,
                0,
                "{name}"
            );
        }
    }
}

#[test]
fn the_metadata_tells_rule_version_counter_and_numbers() {
    let header = header(&two().to_safetensors().unwrap());
    let metadata = &header["__metadata__"];
    assert_eq!(metadata["version"], "1");
    let parameters: Value = serde_json::from_str(metadata["parameters"].as_str().unwrap()).unwrap();
    assert_eq!(
        parameters[1],
        json!({
            "name": "bias", "rule": "NAdam", "t": 4, "shape": [2], "dtype": "f64",
            "scalars": [["mu_product", "0.1"]], "tensors": ["exp_avg", "exp_avg_sq"],
        })
    );
}

#[test]
fn a_file_that_ends_early_is_truncated() {
    let bytes = two().to_safetensors().unwrap();
    for length in 0..bytes.len() {
        let error = Snapshot::from_safetensors(&bytes[..length]).unwrap_err();
        let Error::Snapshot(SnapshotError::Truncated { found, expected }) = error else {
            panic!("{length}: {error}")
        };
        assert_eq!(found, length as u64);
        let header = u64::from_le_bytes(bytes[..8].try_into().unwrap());
        let full = bytes.len() as u64;
        let next = if length < 8 {
            8
        } else if found < 8 + header {
            8 + header
        } else {
            full
        };
        assert_eq!(expected, next);
    }
    refuses(
        &bytes[..100],
        &format!(
            "there are 100 bytes of {}: the snapshot is truncated, use another copy",
            8 + u64::from_le_bytes(bytes[..8].try_into().unwrap())
        ),
    );
}

#[test]
fn another_kind_of_file_is_foreign() {
    let advice = "use a file that `Snapshot::save` has written";
    refuses(
        b"PK\x03\x04 a zip archive, or anything else",
        &format!("this is not a snapshot of moments, since the header would have 6998707800653204304 bytes: {advice}")
            .replace("6998707800653204304", &u64::from_le_bytes(*b"PK\x03\x04 a z").to_string()),
    );
    refuses(
        &raw(b" {}", b""),
        &format!("this is not a snapshot of moments, since there is no header in JSON: {advice}"),
    );
    let model = json!({"weight": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}});
    refuses(
        &file(&model, &[0, 0]),
        &format!(
            "this is not a snapshot of moments, since there is no `format` in its metadata: {advice}"
        ),
    );
    let model = json!({"__metadata__": {"format": "pt"}});
    refuses(
        &file(&model, b""),
        &format!("this is not a snapshot of moments, since its `format` is \"pt\": {advice}"),
    );
}

#[test]
fn a_file_of_another_version_is_refused_whatever_else_it_says() {
    let later = json!({"__metadata__": {"format": "moments", "version": "2", "groups": "?"}});
    refuses(
        &file(&later, b""),
        "the snapshot has version 2, but this version of moments knows version 1 alone: \
         load it with the version that wrote it",
    );
    let error = serde_json::from_str::<Snapshot>(r#"{"version":2,"groups":[]}"#).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the snapshot has version 2, but"),
        "{error}"
    );
}

#[test]
fn a_header_that_contradicts_itself_is_damaged() {
    let good = two().to_safetensors().unwrap();
    let data = &good[good.len() - 52..];
    let damaged = |change: &dyn Fn(&mut Value), expected: &str| {
        let mut header = header(&good);
        change(&mut header);
        refuses(
            &file(&header, data),
            &format!("{expected}: the snapshot is damaged, use another copy"),
        );
    };
    assert_eq!(
        Snapshot::from_safetensors(&file(&header(&good), data)).unwrap(),
        two()
    );

    damaged(
        &|h| h["bias.exp_avg"]["data_offsets"] = json!([8, 16]),
        "the tensor `bias.exp_avg` is said to lie at 8 to 16, where 0 is expected",
    );
    damaged(
        &|h| h["bias.exp_avg_sq"]["data_offsets"] = json!([16, 8]),
        "the tensor `bias.exp_avg_sq` is said to lie at 16 to 8, where 16 is expected",
    );
    damaged(
        &|h| h["extra"] = json!({"dtype": "U8", "shape": [0], "data_offsets": [52, 52]}),
        "the tensor `extra` belongs to no parameter",
    );
    damaged(
        &|h| h["bias.exp_avg"]["dtype"] = json!("I64"),
        "the tensor `bias.exp_avg` is of the type \"I64\"",
    );
    damaged(
        &|h| h["__metadata__"]["version"] = json!("one"),
        "the version is \"one\"",
    );
    damaged(
        &|h| {
            h["__metadata__"]
                .as_object_mut()
                .unwrap()
                .remove("parameters");
        },
        "there is no `parameters` in the metadata",
    );
    let mut longer = good.clone();
    longer.push(0);
    refuses(
        &longer,
        "the last tensor ends at byte 52 of 53: the snapshot is damaged, use another copy",
    );
    let mut lost = header(&good);
    let entry = lost
        .as_object_mut()
        .unwrap()
        .remove("bias.exp_avg")
        .unwrap();
    lost["bias.exp_avh"] = entry;
    refuses(
        &file(&lost, data),
        "the tensor `bias.exp_avg` is missing: take the snapshot from an optimizer with the same options",
    );
    let mut reshaped = header(&good);
    reshaped["bias.exp_avg"]["shape"] = json!([1_000_000_000_000_000_000_u64]);
    refuses(
        &file(&reshaped, data),
        "the tensor `exp_avg` of `bias` has 16 bytes, but its type and shape need 8000000000000000000: \
         pass one entry per element of the shape, or use another copy if the snapshot is damaged",
    );
    reshaped["bias.exp_avg"]["shape"] = json!([3]);
    refuses(
        &file(&reshaped, data),
        "the tensor `exp_avg` of `bias` has 16 bytes, but its type and shape need 24: \
         pass one entry per element of the shape, or use another copy if the snapshot is damaged",
    );
}

#[test]
fn a_name_that_is_given_twice_is_refused() {
    let entry = r#"{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"#;
    for (header, name) in [
        (format!(r#"{{"a":{entry},"a":{entry}}}"#), "a"),
        (
            r#"{"__metadata__":{},"__metadata__":{}}"#.into(),
            "__metadata__",
        ),
        (
            r#"{"__metadata__":{"format":"x","format":"y"}}"#.into(),
            "format",
        ),
    ] {
        let error = Snapshot::from_safetensors(&raw(header.as_bytes(), b"")).unwrap_err();
        let message = error.to_string();
        assert!(
            message.starts_with(&format!("`{name}` is given twice")),
            "{message}"
        );
    }
    // Two tensors of two parameters that come to have one name in a file.
    let a = ParameterState::new::<f32>("x", 1, &[0]).named("a");
    let clash = Snapshot::new(vec![
        a.clone().tensor::<f32>("b.c", &[]),
        a.named("a.b").tensor::<f32>("c", &[]),
    ]);
    assert_eq!(
        clash.to_safetensors().unwrap_err().to_string(),
        "the tensor `a.b.c` is given twice: give every name once"
    );
    let reserved = ParameterState::new::<f32>("x", 1, &[0]).tensor::<f32>("__metadata__", &[]);
    assert!(Snapshot::from(reserved).to_safetensors().is_err());
}

#[test]
fn offsets_that_add_up_beyond_what_a_number_holds_are_an_error() {
    // The reference implementation panics here, or wraps around to the true length of the file.
    let step = (1_u64 << 61) - 1;
    let mut header = two()
        .to_safetensors()
        .map(|file| self::header(&file))
        .unwrap();
    header = json!({"__metadata__": header["__metadata__"]});
    for i in 0..8 {
        header[format!("{i}")] =
            json!({"dtype": "U8", "shape": [step], "data_offsets": [i * step, (i + 1) * step]});
    }
    header["9"] = json!({"dtype": "U8", "shape": [7], "data_offsets": [8 * step, u64::MAX]});
    let error = Snapshot::from_safetensors(&file(&header, b"")).unwrap_err();
    let found = matches!(
        error,
        Error::Snapshot(SnapshotError::Truncated {
            expected: u64::MAX,
            ..
        })
    );
    assert!(found, "{error}");
}

#[test]
fn a_record_that_contradicts_itself_is_not_written() {
    let mut snapshot = two();
    snapshot.parameters[0].tensors[0].bytes.pop();
    assert_eq!(
        snapshot.to_safetensors().unwrap_err().to_string(),
        "the tensor `row_var` of `layer.weight` has 7 bytes, but its type and shape need 8: \
         pass one entry per element of the shape, or use another copy if the snapshot is damaged"
    );
    let mut snapshot = two();
    snapshot.parameters[1].name = "layer.weight".into();
    assert_eq!(
        snapshot.to_safetensors().unwrap_err().to_string(),
        "the parameter `layer.weight` is given twice: give every name once"
    );
}

#[test]
fn files_are_named_in_messages_and_survive_what_cannot_be_written() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("survives-{}.safetensors", std::process::id()));
    two().save(&path).unwrap();
    let mut damaged = two();
    damaged.parameters[0]
        .tensors
        .push(StateTensor::new("row_var", &[], &[1.0]));
    assert!(damaged.save(&path).is_err());
    assert_eq!(Snapshot::load(&path).unwrap(), two());

    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let error = Snapshot::load(&path).unwrap_err().to_string();
    let (file, reason) = error.split_once(": there are ").unwrap();
    assert_eq!(file, path.display().to_string());
    assert!(reason.ends_with("the snapshot is truncated, use another copy"));
    std::fs::remove_file(&path).unwrap();

    let Err(Error::Snapshot(SnapshotError::Io {
        path: named, kind, ..
    })) = Snapshot::load(&path)
    else {
        panic!("there is no file")
    };
    assert_eq!((named, kind), (path.clone(), std::io::ErrorKind::NotFound));
    let absent = path.join("state.safetensors");
    let error = two().save(&absent).unwrap_err().to_string();
    assert!(error.starts_with(&absent.display().to_string()), "{error}");
}
