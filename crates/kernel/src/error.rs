use std::fmt;
use std::io;
use std::path::Path;

/// What stands in the way, for callers that act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A download failed because no server answered.
    NoNetwork,
    /// No usable Python.
    NoPython,
    /// rust-src is missing and there is no rustup to add it.
    NoRustup,
    /// The disk is full.
    DiskFull,
    /// Somebody asked to stop.
    Interrupted,
    /// Anything else; the message says what.
    Failed,
}

/// A failure told in a sentence or two: what failed, and what mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    message: String,
}

impl Error {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    pub(crate) fn interrupted(what: &str) -> Self {
        Self::new(
            Kind::Interrupted,
            format!("{what} was interrupted. The next start carries on from here."),
        )
    }

    /// A failed file operation: `doing` reads like "write" and stands before the path.
    pub(crate) fn io(doing: &str, path: &Path, error: &io::Error) -> Self {
        if is_disk_full(error) {
            return Self::new(
                Kind::DiskFull,
                format!(
                    "Could not {doing} {}: the disk is full. Free some space (the set-up needs about 2 GB) and start again.",
                    path.display()
                ),
            );
        }
        Self::failed(format!("Could not {doing} {}: {error}.", path.display()))
    }

    /// What stands in the way.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

fn is_disk_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Why a tool failed, read off what it printed.
pub(crate) fn kind_of_output(output: &str) -> Kind {
    let text = output.to_lowercase();
    let any = |needles: &[&str]| needles.iter().any(|needle| text.contains(needle));
    if any(&[
        "no space left on device",
        "os error 28",
        "disk quota exceeded",
        "os error 112",
    ]) {
        Kind::DiskFull
    } else if any(&[
        "could not resolve host",
        "couldn't resolve host",
        "failed to lookup address",
        "temporary failure in name resolution",
        "name or service not known",
        "getaddrinfo failed",
        "nodename nor servname",
        "network is unreachable",
        "could not connect",
        "couldn't connect",
        "failed to connect",
        "connection refused",
        "connection timed out",
        "connect timeout",
        "connection reset",
        "error sending request",
        "newconnectionerror",
        "could not download file",
        "failed to download",
        "unable to update registry",
        "connection broken",
        "failed to resolve",
        "(from versions: none)",
        "spurious network error",
    ]) {
        Kind::NoNetwork
    } else {
        Kind::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_missing_network_are_told_apart() {
        assert_eq!(
            kind_of_output("error: failed to write: No space left on device (os error 28)"),
            Kind::DiskFull
        );
        assert_eq!(
            kind_of_output(
                "warning: spurious network error (3 tries remaining): Could not resolve host"
            ),
            Kind::NoNetwork
        );
        assert_eq!(
            kind_of_output("error[E0425]: cannot find value"),
            Kind::Failed
        );
    }

    #[test]
    fn a_full_disk_is_named_in_the_sentence() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let error = Error::io("write", Path::new("x"), &full);
        assert_eq!(error.kind(), Kind::DiskFull);
        assert!(error.to_string().contains("disk is full"));
    }
}
