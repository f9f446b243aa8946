//! Archives that strangers have made: nothing is unpacked, only the files that count are read, to their limit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use rawzip::{
    CompressionMethod, FileReader, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipArchiveEntryWayfinder,
};
use tar::EntryType;

use super::names::{self, Ending};
use super::sources::{Kind, Stop, Tree, bomb, capped};
use super::{MAX_ARCHIVE, MAX_MEMBERS, MAX_RATIO, MAX_UNPACKED};

/// The longest path of an entry, in bytes.
const MAX_PATH: usize = 1024;
/// The most entries that are remembered: `.rs` files, links and the like.
const MAX_REMEMBERED: usize = 10_000;
/// The most that the `.rs` files of a tar may have together: a stream is read once, so all of them are kept for a moment.
const MAX_KEPT: usize = 16 << 20;

/// An archive by its `.rs` files, and by whatever is neither a file nor a folder.
pub(super) struct Archive {
    zip: Option<ZipArchive<FileReader>>,
    members: BTreeMap<String, Member>,
}

struct Member {
    kind: Kind,
    content: Content,
}

enum Content {
    None,
    Zipped {
        at: ZipArchiveEntryWayfinder,
        method: CompressionMethod,
        encrypted: bool,
    },
    Kept(Vec<u8>),
}

impl Archive {
    pub(super) fn open(mut file: File) -> Result<Self, Stop> {
        let size = file.metadata()?.len();
        if size > MAX_ARCHIVE {
            return refuse(format!(
                "The archive is larger than {} MB. Hand in src/lib.rs and the modules beside it, and nothing else.",
                MAX_ARCHIVE >> 20
            ));
        }
        // What it is counts, and not what it is called.
        let mut start = Vec::new();
        (&mut file).take(512).read_to_end(&mut start)?;
        file.seek(SeekFrom::Start(0))?;
        if start.starts_with(b"PK") {
            zip(file)
        } else if start.starts_with(&[0x1f, 0x8b]) {
            let most = MAX_UNPACKED.min((1 << 20) + size * MAX_RATIO);
            tar(MultiGzDecoder::new(BufReader::new(file)), most)
        } else if start.get(257..262) == Some(b"ustar") {
            tar(BufReader::new(file), size)
        } else {
            refuse(
                "The archive is no zip and no tar, whatever its name says. Hand in a .zip or a .tar.gz."
                    .to_owned(),
            )
        }
    }
}

impl Tree for Archive {
    fn list(&self, folder: &str) -> Result<Vec<(String, Kind)>, Stop> {
        let before = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let mut entries: Vec<(String, Kind)> = Vec::new();
        for (path, member) in self.members.range(before.clone()..) {
            let Some(rest) = path.strip_prefix(&before) else {
                break;
            };
            let (name, kind) = match rest.split_once('/') {
                Some((folder, _)) => (folder, Kind::Folder),
                None => (rest, member.kind),
            };
            // All that is in a folder comes together but for a neighbour such as `src-old`, which sorts before `src/`.
            if !entries.iter().rev().take(2).any(|(last, _)| last == name) {
                entries.push((name.to_owned(), kind));
            }
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.dedup_by(|a, b| a.0 == b.0);
        Ok(entries)
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, Stop> {
        let content = self.members.get(file).map(|member| &member.content);
        match (content, &self.zip) {
            (Some(Content::Kept(bytes)), _) => Ok(bytes.clone()),
            (
                Some(&Content::Zipped {
                    at,
                    method,
                    encrypted,
                }),
                Some(zip),
            ) => {
                let shown = names::shown(file);
                if encrypted {
                    return refuse(format!(
                        "`{shown}` is encrypted. Hand in an archive without a password."
                    ));
                }
                let entry = zip.get_entry(at).map_err(broken_zip)?;
                let bytes = match method {
                    CompressionMethod::STORE => capped(entry.verifying_reader(entry.reader())),
                    CompressionMethod::DEFLATE => {
                        capped(entry.verifying_reader(DeflateDecoder::new(entry.reader())))
                    }
                    other => {
                        return refuse(format!(
                            "`{shown}` is compressed with method {}, which is not read. Make the archive with the usual settings, or a .tar.gz.",
                            other.as_u16()
                        ));
                    }
                };
                bytes.map_err(broken)
            }
            _ => Err(io::Error::from(io::ErrorKind::NotFound).into()),
        }
    }
}

fn refuse<T>(why: String) -> Result<T, Stop> {
    Err(Stop::Refused(why))
}

/// An error of the system is this machine's; any other says that the archive is damaged.
fn broken(error: io::Error) -> Stop {
    if error.raw_os_error().is_some() {
        Stop::Io(error)
    } else {
        damaged()
    }
}

fn damaged() -> Stop {
    Stop::Refused("The archive is damaged. Make it again and hand it in.".to_owned())
}

fn broken_zip(error: rawzip::Error) -> Stop {
    match error.into_kind() {
        rawzip::ErrorKind::IO(error) => broken(error),
        _ => damaged(),
    }
}

/// The paths of an archive as they are read.
#[derive(Default)]
struct Index {
    seen: usize,
    members: BTreeMap<String, Member>,
}

impl Index {
    /// The path of the next entry as text with `/`, or that it cannot count. Any path that leads out of the archive ends it all.
    fn path(&mut self, raw: &[u8]) -> Result<Option<String>, Stop> {
        self.seen += 1;
        if self.seen > MAX_MEMBERS {
            return refuse(format!(
                "There are more than {MAX_MEMBERS} entries in the archive. Hand in src/lib.rs and the modules beside it, and nothing else."
            ));
        }
        if raw.len() > MAX_PATH {
            return refuse(format!(
                "The archive has a path of more than {MAX_PATH} bytes. Hand in src/lib.rs and the modules beside it, and nothing else."
            ));
        }
        let mut text = String::new();
        for chunk in raw.utf8_chunks() {
            text.push_str(chunk.valid());
            // A byte that is no text becomes one that no module has in its name.
            text.extend(chunk.invalid().iter().map(|_| '\\'));
        }
        let drive = text.as_bytes().get(1) == Some(&b':');
        if text.starts_with('/') || drive || text.split('/').any(|part| part == "..") {
            return refuse(format!(
                "The archive has an entry `{}`, which leads out of it. Make it again from the folder of the exercise.",
                names::shown(&text)
            ));
        }
        let parts: Vec<&str> = text
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .collect();
        let counts = !text.ends_with('/')
            && !parts.is_empty()
            && !parts
                .iter()
                .any(|part| names::is_clutter(part) || *part == "target");
        Ok(counts.then(|| parts.join("/")))
    }

    fn add(&mut self, path: String, kind: Kind, content: Content) -> Result<(), Stop> {
        if self.members.len() == MAX_REMEMBERED {
            return refuse(format!(
                "There are more than {MAX_REMEMBERED} .rs files and links in the archive. Hand in src/lib.rs and the modules beside it, and nothing else."
            ));
        }
        let shown = names::shown(&path);
        if self
            .members
            .insert(path, Member { kind, content })
            .is_some()
        {
            return refuse(format!(
                "`{shown}` is in the archive twice. Make the archive again."
            ));
        }
        Ok(())
    }

    fn finish(self, zip: Option<ZipArchive<FileReader>>) -> Result<Archive, Stop> {
        // A link to a folder, and then files in that folder: the files would go where the link leads.
        let paths: BTreeSet<&str> = self.members.keys().map(String::as_str).collect();
        for path in &paths {
            let above = path.match_indices('/').map(|(at, _)| &path[..at]);
            if let Some(both) = above.into_iter().find(|above| paths.contains(above)) {
                return refuse(format!(
                    "`{}` is {} in the archive and has files in it all the same. Hand in the files themselves.",
                    names::shown(both),
                    self.members[both].kind.is()
                ));
            }
        }
        Ok(Archive {
            zip,
            members: self.members,
        })
    }
}

fn zip(file: File) -> Result<Archive, Stop> {
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_file(file, &mut buffer).map_err(broken_zip)?;
    let mut index = Index::default();
    let mut entries = archive.entries(&mut buffer);
    while let Some(entry) = entries.next_entry().map_err(broken_zip)? {
        // Some old tools on Windows write its separators.
        let mut raw = entry.file_path().as_bytes().to_owned();
        raw.iter_mut()
            .filter(|byte| **byte == b'\\')
            .for_each(|byte| *byte = b'/');
        let kind = match entry.mode().value() & 0o170_000 {
            0o120_000 => Kind::Link,
            0o040_000 => Kind::Folder,
            0 | 0o100_000 => Kind::File,
            _ => Kind::Special,
        };
        let Some(path) = index.path(&raw)? else {
            continue;
        };
        if kind == Kind::Folder || (kind == Kind::File && Ending::of(&path) != Ending::Rust) {
            continue;
        }
        let content = Content::Zipped {
            at: entry.wayfinder(),
            method: entry.compression_method(),
            encrypted: entry.flags().is_encrypted(),
        };
        index.add(path, kind, content)?;
    }
    if index.seen as u64 != archive.entries_hint() {
        return Err(damaged());
    }
    index.finish(Some(archive))
}

/// A reader that ends with an error, and knows it, when too much has come out of it.
struct Limited<'a, R> {
    inner: R,
    left: u64,
    passed: &'a std::cell::Cell<bool>,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        // One byte more than is left tells the end of the stream from a stream that goes on.
        let most = usize::try_from(self.left + 1).unwrap_or(usize::MAX);
        let most = most.min(buffer.len());
        let read = self.inner.read(&mut buffer[..most])?;
        if read as u64 > self.left {
            self.passed.set(true);
            return Err(io::Error::other("it unpacks to too much"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

fn tar(stream: impl Read, most: u64) -> Result<Archive, Stop> {
    let passed = std::cell::Cell::new(false);
    let limited = Limited {
        inner: stream,
        left: most,
        passed: &passed,
    };
    let result = members(limited);
    if passed.get() {
        return Err(bomb());
    }
    result?.finish(None)
}

fn members(stream: impl Read) -> Result<Index, Stop> {
    let mut archive = ::tar::Archive::new(stream);
    let mut index = Index::default();
    let mut kept = 0;
    // The names of the next entry that do not fit into its header. The crate would collect them without a limit.
    let mut long: Option<Vec<u8>> = None;
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        let kind = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => Kind::File,
            EntryType::Directory => Kind::Folder,
            EntryType::Symlink => Kind::Link,
            EntryType::Link => Kind::HardLink,
            EntryType::XGlobalHeader | EntryType::GNULongLink => continue,
            EntryType::GNULongName => {
                let mut name = small(&mut entry)?;
                name.truncate(
                    name.iter()
                        .position(|&byte| byte == 0)
                        .unwrap_or(name.len()),
                );
                long = Some(name);
                continue;
            }
            EntryType::XHeader => {
                let records = small(&mut entry)?;
                for record in ::tar::PaxExtensions::new(&records) {
                    let record = record.map_err(broken)?;
                    match record.key_bytes() {
                        b"path" => long = Some(record.value_bytes().to_owned()),
                        // The sizes of sources fit into the header; another one is there to be read in two ways.
                        b"size" => return Err(damaged()),
                        _ => {}
                    }
                }
                continue;
            }
            _ => Kind::Special,
        };
        let raw = long
            .take()
            .unwrap_or_else(|| entry.header().path_bytes().into_owned());
        let Some(path) = index.path(&raw)? else {
            continue;
        };
        if kind == Kind::Folder || (kind == Kind::File && Ending::of(&path) != Ending::Rust) {
            continue;
        }
        let content = if kind == Kind::File {
            let bytes = capped(&mut entry).map_err(broken)?;
            kept += bytes.len();
            if kept > MAX_KEPT {
                return refuse(format!(
                    "The .rs files in the archive are larger than {} MB. Hand in src/lib.rs and the modules beside it, and nothing else.",
                    MAX_KEPT >> 20
                ));
            }
            Content::Kept(bytes)
        } else {
            Content::None
        };
        index.add(path, kind, content)?;
    }
    Ok(index)
}

/// The bytes of an entry that describes the next one.
fn small(entry: &mut impl Read) -> Result<Vec<u8>, Stop> {
    let most = 64 << 10;
    let mut bytes = Vec::new();
    entry
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(broken)?;
    if bytes.len() as u64 > most {
        return Err(damaged());
    }
    Ok(bytes)
}
