//! Snapshots as safetensors: eight bytes with the length of a header, the header in JSON, the bytes of all tensors.
//!
//! The format is read and written here rather than by the crate of that name, for three reasons.
//! That crate panics, or reads past a check, where offsets add up to more than 2⁶⁴ (its version 0.8, pull request 808);
//! of a name that is given twice it keeps one; and it writes metadata in another order in every run.
//! The tests read each other's files.

use super::{
    Dtype, ParameterState, Snapshot, SnapshotError, StateTensor, check_version, repeated, text,
};
use crate::Error;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What `format` says in the metadata of a snapshot.
const FORMAT: &str = "moments";

/// The key that the format reserves.
const METADATA: &str = "__metadata__";

/// The longest header that the format allows.
const MAX_HEADER: usize = 100_000_000;

impl Snapshot {
    /// The record as a safetensors file.
    ///
    /// A state tensor has the name of the state, after the parameter's name and a dot where that has one: `layer.weight.exp_avg`.
    /// The metadata has `format`, `version` and `parameters`; the latter is JSON with rule, `t`, shape, type, scalars and the names of the tensors.
    /// The same record gives the same bytes.
    ///
    /// # Errors
    /// [`Error::Snapshot`] if the record is not consistent in itself: a name given twice, or a tensor whose bytes do not fit its shape.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        let mut tensors: Vec<(String, &StateTensor)> = Vec::new();
        for state in &self.parameters {
            let named = state.tensors.iter().map(|t| (key(state, &t.name), t));
            tensors.extend(named);
        }
        if let Some(name) = repeated(tensors.iter().map(|(name, _)| name.as_str())) {
            let what = format!("the tensor `{name}`");
            return Err(SnapshotError::Duplicate { what }.into());
        }
        if tensors.iter().any(|(name, _)| name == METADATA) {
            let reason = format!("a tensor cannot have the name `{METADATA}`");
            return Err(SnapshotError::Malformed { reason }.into());
        }
        // Larger entries first, so that every tensor lies at a multiple of the size of its entries.
        tensors.sort_by(|(a, x), (b, y)| y.dtype.size().cmp(&x.dtype.size()).then(a.cmp(b)));

        let malformed = |reason: String| Error::from(SnapshotError::Malformed { reason });
        let header = HeaderOut {
            snapshot: self,
            tensors: &tensors,
        };
        let mut header = serde_json::to_vec(&header).map_err(|e| malformed(e.to_string()))?;
        header.resize(header.len().next_multiple_of(8), b' ');
        if header.len() > MAX_HEADER {
            let reason = format!("a header has at most {MAX_HEADER} bytes: save fewer tensors");
            return Err(malformed(reason));
        }
        let length: usize = tensors.iter().map(|(_, tensor)| tensor.bytes.len()).sum();
        let mut file = Vec::with_capacity(8 + header.len() + length);
        file.extend((header.len() as u64).to_le_bytes());
        file.extend(header);
        for (_, tensor) in tensors {
            file.extend(&tensor.bytes);
        }
        Ok(file)
    }

    /// The record in a safetensors file that [`to_safetensors`](Self::to_safetensors) has made.
    ///
    /// # Errors
    /// [`Error::Snapshot`] if the file is truncated, damaged, of another version or not a snapshot.
    /// However it is damaged, reading it allocates no more than a small multiple of its length.
    pub fn from_safetensors(file: &[u8]) -> Result<Self, Error> {
        Ok(read(file)?)
    }
}

fn read(file: &[u8]) -> Result<Snapshot, SnapshotError> {
    let malformed = |reason: String| SnapshotError::Malformed { reason };
    let truncated = |expected: u64| SnapshotError::Truncated {
        found: file.len() as u64,
        expected,
    };
    let Some((length, rest)) = file.split_first_chunk::<8>() else {
        return Err(truncated(8));
    };
    let length = u64::from_le_bytes(*length);
    if length > MAX_HEADER as u64 {
        let reason = format!("the header would have {length} bytes");
        return Err(SnapshotError::Foreign { reason });
    }
    let Some((header, data)) = rest.split_at_checked(length as usize) else {
        return Err(truncated(8 + length));
    };
    if header.first() != Some(&b'{') {
        let reason = "there is no header in JSON".into();
        return Err(SnapshotError::Foreign { reason });
    }
    let header: Header = serde_json::from_slice(header).map_err(|e| malformed(e.to_string()))?;

    let metadata = |key: &str| header.metadata.as_ref().and_then(|m| m.get(key));
    match metadata("format") {
        Some(format) if format == FORMAT => {}
        Some(format) => {
            let reason = format!("its `format` is {format:?}");
            return Err(SnapshotError::Foreign { reason });
        }
        None => {
            let reason = "there is no `format` in its metadata".into();
            return Err(SnapshotError::Foreign { reason });
        }
    }
    let missing = |key: &str| malformed(format!("there is no `{key}` in the metadata"));
    let version = metadata("version").ok_or_else(|| missing("version"))?;
    let version = version
        .parse()
        .map_err(|_| malformed(format!("the version is {version:?}")))?;
    check_version(version)?;
    let parameters = metadata("parameters").ok_or_else(|| missing("parameters"))?;
    let parameters: Vec<Description> =
        serde_json::from_str(parameters).map_err(|e| malformed(format!("`parameters`: {e}")))?;

    let end = header.tensors.values().map(|entry| entry.data_offsets.1);
    let end = end.max().unwrap_or(0);
    if end > data.len() as u64 {
        return Err(truncated(end.saturating_add(8 + length)));
    }
    let mut tensors = slices(header.tensors, data)?;
    let mut snapshot = Snapshot::new(Vec::with_capacity(parameters.len()));
    for description in parameters {
        let (mut state, names) = description.into_state();
        for name in names {
            let key = key(&state, &name);
            let (entry, bytes) = tensors.remove(&key).ok_or_else(|| {
                let what = format!("the tensor `{key}`");
                SnapshotError::Missing { what }
            })?;
            let dtype = Dtype::named(&entry.dtype).ok_or_else(|| {
                malformed(format!(
                    "the tensor `{key}` is of the type {:?}",
                    entry.dtype
                ))
            })?;
            state.tensors.push(StateTensor {
                name,
                dtype,
                shape: entry.shape,
                bytes: bytes.into(),
            });
        }
        snapshot.parameters.push(state);
    }
    if let Some(name) = tensors.keys().next() {
        return Err(malformed(format!(
            "the tensor `{name}` belongs to no parameter"
        )));
    }
    snapshot.check()?;
    Ok(snapshot)
}

/// The bytes of each tensor, if they follow each other without gap or overlap from the first byte of `data` to the last;
/// no tensor is said to end beyond it.
fn slices(
    entries: BTreeMap<String, Entry>,
    data: &[u8],
) -> Result<BTreeMap<String, (Entry, &[u8])>, SnapshotError> {
    let mut entries: Vec<(String, Entry)> = entries.into_iter().collect();
    entries.sort_by_key(|(_, entry)| entry.data_offsets);
    let mut end = 0;
    for (name, entry) in &entries {
        let (from, to) = entry.data_offsets;
        if from != end || to < from {
            return Err(SnapshotError::Malformed {
                reason: format!(
                    "the tensor `{name}` is said to lie at {from} to {to}, where {end} is expected"
                ),
            });
        }
        end = to;
    }
    if end < data.len() as u64 {
        let reason = format!("the last tensor ends at byte {end} of {}", data.len());
        return Err(SnapshotError::Malformed { reason });
    }
    let slice = |(name, entry): (String, Entry)| {
        let (from, to) = entry.data_offsets;
        let bytes = &data[from as usize..to as usize];
        (name, (entry, bytes))
    };
    Ok(entries.into_iter().map(slice).collect())
}

fn key(state: &ParameterState, tensor: &str) -> String {
    if state.name.is_empty() {
        tensor.into()
    } else {
        format!("{}.{tensor}", state.name)
    }
}

/// What is written of a parameter beside the entries of its tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    name: String,
    rule: String,
    t: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    observed: bool,
    shape: Vec<usize>,
    dtype: Dtype,
    #[serde(with = "text::scalars")]
    scalars: Vec<(String, f64)>,
    tensors: Vec<String>,
}

impl Description {
    fn of(state: &ParameterState) -> Self {
        Self {
            name: state.name.clone(),
            rule: state.rule.clone(),
            t: state.t,
            observed: state.observed,
            shape: state.shape.clone(),
            dtype: state.dtype,
            scalars: state.scalars.clone(),
            tensors: state.tensors.iter().map(|t| t.name.clone()).collect(),
        }
    }

    /// The state without its tensors, and the names of those.
    fn into_state(self) -> (ParameterState, Vec<String>) {
        let state = ParameterState {
            name: self.name,
            rule: self.rule,
            t: self.t,
            observed: self.observed,
            shape: self.shape,
            dtype: self.dtype,
            scalars: self.scalars,
            tensors: Vec::new(),
        };
        (state, self.tensors)
    }
}

/// What a header says of a tensor.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// A header on its way out.
struct HeaderOut<'a> {
    snapshot: &'a Snapshot,
    tensors: &'a [(String, &'a StateTensor)],
}

impl Serialize for HeaderOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parameters: Vec<_> = self
            .snapshot
            .parameters
            .iter()
            .map(Description::of)
            .collect();
        let parameters = serde_json::to_string(&parameters).map_err(serde::ser::Error::custom)?;
        let metadata = BTreeMap::from([
            ("format", FORMAT.to_string()),
            ("version", self.snapshot.version.to_string()),
            ("parameters", parameters),
        ]);
        let mut map = serializer.serialize_map(Some(1 + self.tensors.len()))?;
        map.serialize_entry(METADATA, &metadata)?;
        let mut start = 0;
        for (name, tensor) in self.tensors {
            let end = start + tensor.bytes.len() as u64;
            let entry = Entry {
                dtype: tensor.dtype.name().into(),
                shape: tensor.shape.clone(),
                data_offsets: (start, end),
            };
            map.serialize_entry(name, &entry)?;
            start = end;
        }
        map.end()
    }
}

/// A header on its way in, in which no key is given twice.
struct Header {
    metadata: Option<BTreeMap<String, String>>,
    tensors: BTreeMap<String, Entry>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut header = Header {
                    metadata: None,
                    tensors: BTreeMap::new(),
                };
                while let Some(key) = map.next_key::<String>()? {
                    let is_new = if key == METADATA {
                        let Unique(metadata) = map.next_value()?;
                        header.metadata.replace(metadata).is_none()
                    } else {
                        let entry = map.next_value()?;
                        header.tensors.insert(key.clone(), entry).is_none()
                    };
                    if !is_new {
                        return Err(A::Error::custom(format!("`{key}` is given twice")));
                    }
                }
                Ok(header)
            }
        }

        deserializer.deserialize_map(Keys)
    }
}

/// Texts by name, in which no name is given twice.
struct Unique(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = Unique;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some((name, text)) = map.next_entry::<String, String>()? {
                    if let Some(name) = texts.insert(name.clone(), text).map(|_| name) {
                        return Err(A::Error::custom(format!("`{name}` is given twice")));
                    }
                }
                Ok(Unique(texts))
            }
        }

        deserializer.deserialize_map(Names)
    }
}
