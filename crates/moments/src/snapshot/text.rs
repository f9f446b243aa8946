//! Numbers as text that keeps every bit.
//!
//! Formats such as JSON have no infinity and no NaN, and their readers may round the last digit.
//! A scalar is therefore written as the shortest decimal that gives back its bits, in a string; entries of a tensor are hexadecimal digits of their bytes.

use serde::de::{Deserialize, Deserializer, Error};

pub(super) mod scalars {
    use serde::de::{Error, Unexpected};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        scalars: &[(String, f64)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(scalars.iter().map(|(name, x)| (name, format!("{x:?}"))))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, f64)>, D::Error> {
        let scalars = Vec::<(String, String)>::deserialize(deserializer)?;
        let number = |(name, text): (String, String)| match text.parse() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(D::Error::invalid_value(
                Unexpected::Str(&text),
                &"a number as text",
            )),
        };
        scalars.into_iter().map(number).collect()
    }
}

pub(super) mod bytes {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let digit = |x: u8| char::from(b"0123456789abcdef"[usize::from(x)]);
        let digits = bytes.iter().flat_map(|&b| [digit(b >> 4), digit(b & 15)]);
        digits.collect::<String>().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digit = |c: u8| char::from(c).to_digit(16);
        let (pairs, rest) = text.as_bytes().as_chunks();
        let bytes = pairs
            .iter()
            .map(|&[high, low]| Some((digit(high)? << 4 | digit(low)?) as u8))
            .collect::<Option<Vec<u8>>>();
        bytes.filter(|_| rest.is_empty()).ok_or_else(|| {
            D::Error::custom("the bytes of a tensor must be an even number of hexadecimal digits")
        })
    }
}

/// A version is refused as soon as it is read, since what follows may then have another form.
pub(super) fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let version = u32::deserialize(deserializer)?;
    super::check_version(version).map_err(D::Error::custom)?;
    Ok(version)
}
