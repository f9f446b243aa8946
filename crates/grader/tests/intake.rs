//! What becomes of what students hand in, whatever it is.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use moments_checks::Random;
use moments_grader::intake::{Error, Found, Handout, MAX_FILE, Submission, find, find_all};

/// A path and what is there.
type Entry<'a> = (&'a str, &'a [u8]);

const CODE: &str = "pub fn step() {}\n";

/// A folder that is removed at the end of a test.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "moments-intake-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    fn find(&self, only: Option<&str>) -> Result<Found, Error> {
        find(&self.0, &handouts(), only)
    }

    /// All submissions of ex07.
    fn ex07(&self) -> Vec<Submission> {
        let mut found = self.find(Some("ex07")).unwrap();
        let read = found.read();
        assert_eq!(found.unread, []);
        read
    }

    /// The one submission of ex07.
    fn one(&self) -> Submission {
        let mut all = self.ex07();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// Why the one submission of ex07 is refused.
    fn refused(&self) -> String {
        let one = self.one();
        let why = one.files.expect_err("it should be refused").why;
        assert!(!why.contains(self.0.to_str().unwrap()), "{why}");
        assert!(!why.chars().any(char::is_control), "{why:?}");
        why
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn handouts() -> Vec<Handout> {
    let starters = Path::new(env!("CARGO_MANIFEST_DIR")).join("../course/starters");
    Handout::all(&starters).unwrap()
}

fn starter(id: &str) -> String {
    let all = handouts();
    all.into_iter()
        .find(|handout| handout.id == id)
        .unwrap()
        .starter
        .unwrap()
}

fn sources(submission: &Submission) -> Vec<(&str, &str)> {
    let files = submission.files.as_ref().expect("it should be accepted");
    let pairs = files.sources.iter();
    pairs
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect()
}

/// A zip of these entries.
fn zip(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (path, content) in entries {
        let path = rawzip::path::EntryPath::verbatim(path.as_bytes());
        let (mut entry, config) = archive
            .new_file(path)
            .compression_method(rawzip::CompressionMethod::DEFLATE)
            .start()
            .unwrap();
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::fast()));
        writer.write_all(content).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

/// A tar entry: its path as it is, its type and its content.
fn member(path: &str, kind: tar::EntryType, link: &str, content: &[u8]) -> (tar::Header, Vec<u8>) {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..path.len().min(100)]
        .copy_from_slice(&path.as_bytes()[..path.len().min(100)]);
    header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    header.set_cksum();
    (header, content.to_vec())
}

fn tar(members: &[(tar::Header, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (header, content) in members {
        builder.append(header, &content[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

fn regular(entries: &[Entry<'_>]) -> Vec<u8> {
    let members: Vec<_> = entries
        .iter()
        .map(|(path, content)| member(path, tar::EntryType::Regular, "", content))
        .collect();
    tar(&members)
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

// --- What is recognised ---------------------------------------------------------------------------------------------------------

#[test]
fn every_form_of_one_submission_has_the_same_files_and_hash() {
    let there: &[Entry<'_>] = &[
        ("src/lib.rs", CODE.as_bytes()),
        ("src/m/n.rs", b"// n"),
        ("Cargo.toml", b"evil"),
        ("build.rs", b"evil"),
        ("tests/ex07.rs", b"evil"),
        (".cargo/config.toml", b"evil"),
        ("src/notes.txt", b"evil"),
        ("src/.hidden.rs", b"\xff"),
        ("src/lib (1).rs", b"\xff"),
    ];
    let nested = |top: &str| -> Vec<(String, &[u8])> {
        there
            .iter()
            .map(|(path, bytes)| (format!("{top}{path}"), *bytes))
            .collect()
    };
    let pack = |entries: &[(String, &[u8])], with: fn(&[Entry<'_>]) -> Vec<u8>| {
        let entries: Vec<Entry<'_>> = entries.iter().map(|(p, b)| (p.as_str(), *b)).collect();
        with(&entries)
    };
    let scratch = Scratch::new();
    for top in [
        "",
        "repo-main/",
        "exercises/ex07-adam/",
        "repo-main/exercises/ex07-adam/",
    ] {
        let entries = nested(top);
        let name = top.replace('/', "_");
        for (path, bytes) in &entries {
            scratch.write(&format!("folder{name}/{path}"), bytes);
        }
        let zipped = pack(&entries, zip);
        let tarred = pack(&entries, regular);
        scratch.write(&format!("zip{name}.zip"), &zipped);
        scratch.write(&format!("tar{name}.tar"), &tarred);
        scratch.write(&format!("gz{name}.tar.gz"), gz(&tarred));
        scratch.write(&format!("tgz{name}.tgz"), gz(&tarred));
        // The name lies about the kind of archive.
        scratch.write(&format!("named{name}.zip"), gz(&tarred));
        scratch.write(&format!("moodle{name}/upload.zip"), &zipped);
    }
    let all = scratch.ex07();
    assert_eq!(all.len(), 4 * 7);
    for one in &all {
        assert_eq!(
            sources(one),
            [("lib.rs", CODE), ("m/n.rs", "// n")],
            "{}",
            one.student
        );
        assert_eq!(one.hash(), all[0].hash());
    }
}

#[test]
fn a_lone_file_is_lib_rs_whatever_its_name() {
    let scratch = Scratch::new();
    scratch
        .write("ann.rs", CODE)
        .write("bob/lib.rs", CODE)
        .write("cyd/solution.rs", CODE)
        .write("dan.zip", zip(&[("my adam.rs", CODE.as_bytes())]))
        .write("eve.zip", zip(&[("lib.rs", CODE.as_bytes())]));
    let all = scratch.ex07();
    let students: Vec<&str> = all.iter().map(|one| one.student.as_str()).collect();
    assert_eq!(students, ["ann", "bob", "cyd", "dan", "eve"]);
    for one in &all {
        assert_eq!(sources(one), [("lib.rs", CODE)], "{}", one.student);
    }
}

#[test]
fn one_submission_by_its_path_is_its_owners() {
    let scratch = Scratch::new();
    scratch
        .write("ann/src/lib.rs", CODE)
        .write("bob/exercises/ex07-adam/src/lib.rs", CODE)
        .write("cyd.tar", regular(&[("lib.rs", CODE.as_bytes())]));
    for (path, student) in [
        ("ann", "ann"),
        ("ann/src/lib.rs", "ann"),
        ("bob", "bob"),
        ("cyd.tar", "cyd"),
    ] {
        let mut found = find(&scratch.at(path), &handouts(), Some("ex07-adam")).unwrap();
        let all = found.read();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].student, student);
        assert_eq!(sources(&all[0]), [("lib.rs", CODE)]);
    }
}

#[test]
fn a_clone_is_of_the_exercises_that_differ_from_their_starters() {
    let scratch = Scratch::new();
    scratch
        .write("ann/exercises/ex01-sgd/src/lib.rs", starter("ex01"))
        .write("ann/exercises/ex05-ema/src/lib.rs", CODE)
        .write("ann/exercises/ex07-adam/src/lib.rs", starter("ex07"))
        .write("ann/exercises/ex07-adam/src/more.rs", CODE)
        .write("ann/exercises/ex11-schedules/src/lib.rs", "")
        .write("bob/exercises/ex01-sgd/src/lib.rs", starter("ex01"));
    let found = scratch.find(None).unwrap();
    let handed: Vec<_> = found
        .handed
        .iter()
        .map(|handed| (handed.student.as_str(), handed.exercise.as_str()))
        .collect();
    assert_eq!(handed, [("ann", "ex05"), ("ann", "ex07"), ("ann", "ex11")]);
    assert_eq!(
        found.remarks,
        ["`bob`: no exercise differs from its starter, so there is nothing to grade"]
    );
    // Asked for by name, an untouched one counts too.
    let all = find(&scratch.0, &handouts(), Some("ex01")).unwrap().read();
    assert_eq!(all.len(), 2);
    assert_eq!(sources(&all[1]), [("lib.rs", &starter("ex01")[..])]);
}

#[test]
fn without_a_name_for_it_the_exercise_is_in_a_name() {
    let scratch = Scratch::new();
    scratch
        .write("ann-EX07.rs", CODE)
        .write("bob_ex05.zip", zip(&[("lib.rs", CODE.as_bytes())]))
        .write(
            "cyd.zip",
            zip(&[("ex11-schedules-main/src/lib.rs", CODE.as_bytes())]),
        )
        .write("dan/ex01-sgd/src/lib.rs", CODE)
        .write("eve/src/lib.rs", CODE)
        .write("apex07.rs", CODE)
        .write("both-ex01-ex02.rs", CODE);
    let found = scratch.find(None).unwrap();
    let handed: Vec<_> = found
        .handed
        .iter()
        .map(|handed| (handed.student.as_str(), handed.exercise.as_str()))
        .collect();
    assert_eq!(
        handed,
        [
            ("ann-EX07", "ex07"),
            ("bob_ex05", "ex05"),
            ("cyd", "ex11"),
            ("dan", "ex01")
        ]
    );
    assert_eq!(found.remarks.len(), 3, "{:?}", found.remarks);
    assert!(
        found
            .remarks
            .iter()
            .all(|remark| remark.contains("--exercise"))
    );
}

#[test]
fn two_of_one_name_are_kept_apart_by_their_endings() {
    let scratch = Scratch::new();
    scratch
        .write("ann/lib.rs", CODE)
        .write("ann.rs", CODE)
        .write("ann.zip", zip(&[("lib.rs", CODE.as_bytes())]))
        .write("bob.tar.gz", gz(&regular(&[("lib.rs", CODE.as_bytes())])));
    let students: Vec<String> = scratch.ex07().into_iter().map(|one| one.student).collect();
    assert_eq!(students, ["ann", "ann.rs", "ann.zip", "bob"]);

    let other = Scratch::new();
    other.write("bob/lib.rs", CODE);
    let paths = [scratch.0.clone(), other.0.clone()];
    let error = find_all(&paths, &handouts(), Some("ex07")).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("ex07 of `bob` is in"), "{text}");
    assert!(text.contains("bob.tar.gz"), "{text}");
}

#[test]
fn what_is_no_submission_is_passed_over_and_said() {
    let scratch = Scratch::new();
    scratch
        .write("ann.rs", CODE)
        .write("roster.csv", "x")
        .write("bob.docx", "x")
        .write(".DS_Store", "x")
        .write("__MACOSX/ann.rs", CODE);
    let found = scratch.find(Some("ex07")).unwrap();
    assert_eq!(found.handed.len(), 1);
    assert_eq!(found.remarks.len(), 2);
    assert!(found.remarks[0].starts_with("`bob.docx`: passed over"));
}

#[test]
fn a_path_without_submissions_and_an_unknown_exercise_are_errors() {
    let scratch = Scratch::new();
    let text = scratch.find(Some("ex07")).unwrap_err().to_string();
    assert!(text.contains("holds no submission"), "{text}");
    let text = scratch.find(Some("ex99")).unwrap_err().to_string();
    assert!(
        text.contains("there is no exercise `ex99`; there are ex01, ex02"),
        "{text}"
    );
    let missing = find(&scratch.at("missing"), &handouts(), None).unwrap_err();
    assert!(missing.to_string().contains("missing"));
}

#[test]
fn names_are_made_visible() {
    let scratch = Scratch::new();
    scratch
        .write("Zoë O'Brien Ŝ.rs", CODE)
        .write("a\u{202e}b.rs", CODE)
        .write("a\nb.rs", CODE)
        .write("a\\nb.rs", CODE);
    let students: Vec<String> = scratch.ex07().into_iter().map(|one| one.student).collect();
    assert_eq!(
        students,
        ["Zoë O'Brien Ŝ", "a\\\\nb", "a\\u{202e}b", "a\\u{a}b"]
    );
}

#[test]
fn the_hash_is_of_paths_and_bytes_and_of_nothing_else() {
    let hash = |files: &[(&str, &str)], name: &str| {
        let scratch = Scratch::new();
        for (path, text) in files {
            scratch.write(&format!("{name}/src/{path}"), text);
        }
        scratch.one().hash()
    };
    let one = hash(&[("lib.rs", "ab"), ("m.rs", "c")], "ann");
    assert_eq!(one.len(), 64);
    assert_eq!(
        one,
        hash(&[("lib.rs", "ab"), ("m.rs", "c"), ("x.txt", "d")], "bob")
    );
    assert_ne!(one, hash(&[("lib.rs", "a"), ("m.rs", "bc")], "ann"));
    assert_ne!(one, hash(&[("lib.rs", "ab"), ("n.rs", "c")], "ann"));
    // A refusal is known again as well, and by its reason.
    assert_eq!(
        hash(&[("lib.rs", "")], "ann"),
        hash(&[("lib.rs", " ")], "bob")
    );
    assert_ne!(
        hash(&[("lib.rs", "")], "ann"),
        hash(&[("main.rs", "a")], "ann")
    );
}

#[test]
fn a_mark_at_the_start_and_any_ends_of_lines_are_accepted() {
    let scratch = Scratch::new();
    let text = "\u{feff}pub fn a() {}\r\npub fn b() {}\r";
    scratch.write("ann.rs", text);
    assert_eq!(sources(&scratch.one()), [("lib.rs", text)]);
}

// --- What is refused ------------------------------------------------------------------------------------------------------------

#[test]
fn what_is_wrong_with_a_file_is_said_with_the_fix() {
    let long = "a".repeat(120);
    let many: Vec<(String, Vec<u8>)> = (0..65)
        .map(|i| (format!("src/m{i}.rs"), b"//".to_vec()))
        .collect();
    let many: Vec<Entry<'_>> = many.iter().map(|(p, b)| (p.as_str(), &b[..])).collect();
    let large = vec![b' '; MAX_FILE + 1];
    let most = vec![b' '; MAX_FILE];
    let deep = format!("src/{}m.rs", "d/".repeat(9));
    let long_path = format!("src/{long}/{long}.rs");
    let lib = ("src/lib.rs", CODE.as_bytes());
    let cases: &[(&[Entry<'_>], &str)] = &[
        (
            &[("src/lib.rs", b"")],
            "`src/lib.rs` is empty. Hand in the code.",
        ),
        (
            &[("src/lib.rs", b"\xef\xbb\xbf \n")],
            "`src/lib.rs` is empty",
        ),
        (
            &[("src/lib.rs", b"a\nb\xff")],
            "`src/lib.rs` is not UTF-8 at line 2. In your editor, save it with the encoding UTF-8.",
        ),
        (&[("src/lib.rs", b"\xff\xfep\0u\0b\0")], "is UTF-16"),
        (&[("src/lib.rs", b"a\0b")], "contains zero bytes"),
        (
            &[("src/lib.rs", &large)],
            "`src/lib.rs` is larger than 256 KB",
        ),
        (
            &[
                lib,
                ("src/a.rs", &most),
                ("src/b.rs", &most),
                ("src/c.rs", &most),
                ("src/d.rs", &most),
            ],
            "All .rs files together are larger than 1024 KB",
        ),
        (
            &[("src/main.rs", b"fn main() {}")],
            "There is no `src/lib.rs`, but there is `src/main.rs`",
        ),
        (
            &[("src/Lib.rs", b"//")],
            "`src/Lib.rs` must be called lib.rs",
        ),
        (
            &[lib, ("src/LIB.rs", b"//")],
            "`src/LIB.rs` and `src/lib.rs` differ only in",
        ),
        (
            &[lib, ("src/a\nb.rs", b"//")],
            "`src/a\\u{a}b.rs` has characters that cannot be seen",
        ),
        (
            &[lib, ("src/a\u{202e}b.rs", b"//")],
            "`src/a\\u{202e}b.rs` has characters",
        ),
        (&[lib, (&long_path, b"//")], "is longer than 200 bytes"),
        (
            &[lib, (&deep, b"//")],
            "Folders are nested more than 8 deep at `src/d/d",
        ),
        (&many, "There are more than 64 .rs files"),
        (
            &[("a.rs", b"//"), ("b.rs", b"//")],
            "but 2 .rs files, among them `a.rs`",
        ),
        (&[("readme.md", b"")], "There is no src/lib.rs in it"),
        (
            &[("exercises/ex01-sgd/src/lib.rs", b"//")],
            "There is no folder `ex07-adam`",
        ),
        (
            &[
                ("exercises/ex07-adam/lib.txt", b"//"),
                ("exercises/ex01-sgd/x.rs", b"//"),
            ],
            "ex07-adam",
        ),
    ];
    for (files, says) in cases {
        let folder = Scratch::new();
        for (path, bytes) in *files {
            folder.write(&format!("quentin/{path}"), bytes);
        }
        let why = folder.refused();
        assert!(why.contains(says), "{says}: {why}");
        assert!(!why.contains("quentin"), "{why}");

        let zipped = Scratch::new();
        zipped.write("ann.zip", zip(files));
        let why = zipped.refused();
        assert!(
            why.contains(says) || why.contains("There is no"),
            "{says}: {why}"
        );

        if files.iter().all(|(path, _)| path.len() <= 100) {
            let tarred = Scratch::new();
            tarred.write("ann.tgz", gz(&regular(files)));
            assert_eq!(tarred.refused(), why);
        }
    }
}

#[test]
fn an_empty_folder_or_archive_has_no_lib_rs() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.at("ann")).unwrap();
    scratch
        .write("bob.zip", zip(&[]))
        .write("cyd.tar.gz", gz(&regular(&[])))
        .write("dan.zip", "")
        .write("eve.rs", "");
    let whys: Vec<String> = scratch
        .ex07()
        .into_iter()
        .map(|one| one.files.unwrap_err().why)
        .collect();
    let none = "There is no src/lib.rs in it. Hand in src/lib.rs, or lib.rs alone.";
    assert_eq!(whys[..3], [none, none, none]);
    assert!(whys[3].contains("no zip and no tar"), "{}", whys[3]);
    assert_eq!(whys[4], "`lib.rs` is empty. Hand in the code.");
}

#[test]
fn a_file_of_fifty_megabytes_is_not_read() {
    let scratch = Scratch::new();
    // Sparse: the test needs no such disk.
    let file = File::create(scratch.at("ann.rs")).unwrap();
    file.set_len(50 << 20).unwrap();
    assert!(scratch.refused().contains("`lib.rs` is larger than 256 KB"));
    fs::rename(scratch.at("ann.rs"), scratch.at("ann.zip")).unwrap();
    assert!(scratch.refused().contains("no zip and no tar"));
    let file = File::options()
        .write(true)
        .open(scratch.at("ann.zip"))
        .unwrap();
    file.set_len(65 << 20).unwrap();
    assert!(scratch.refused().contains("larger than 64 MB"));
}

#[test]
fn a_thousand_nested_folders_are_refused_below_src_and_not_visited_elsewhere() {
    let scratch = Scratch::new();
    scratch.write("ann/src/lib.rs", CODE);
    let deep = "d/".repeat(1000);
    scratch.write(&format!("ann/{deep}x.rs"), CODE);
    assert_eq!(sources(&scratch.one()), [("lib.rs", CODE)]);
    scratch.write(&format!("ann/src/{deep}x.rs"), CODE);
    assert!(scratch.refused().contains("nested more than 8 deep"));
}

#[test]
fn a_folder_with_thousands_of_entries_is_refused() {
    let scratch = Scratch::new();
    scratch.write("ann/src/lib.rs", CODE);
    for i in 0..2001 {
        scratch.write(&format!("ann/src/{i}.txt"), "");
    }
    assert!(scratch.refused().contains("more than 2000 entries"));
}

#[cfg(unix)]
#[test]
fn links_pipes_and_hard_links_are_never_opened() {
    use std::os::unix::fs::symlink;
    let secret = Scratch::new();
    secret
        .write("src/lib.rs", "the secret")
        .write("lib.rs", "the secret");
    let link = |at: &str, to: &str| {
        let scratch = Scratch::new();
        scratch.write("ann/other.txt", "");
        let path = scratch.at(&format!("ann/{at}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(secret.at(to), path).unwrap();
        scratch
    };
    let says = |scratch: &Scratch, says: &str| {
        let why = scratch.refused();
        assert!(why.contains(says), "{says}: {why}");
    };
    says(&link("src", "src"), "`src` is a symbolic link");
    says(
        &link("src/lib.rs", "lib.rs"),
        "`src/lib.rs` is a symbolic link. Hand in the file itself.",
    );
    says(&link("src/data", "src"), "`src/data` is a symbolic link");
    says(&link("lib.rs", "lib.rs"), "`lib.rs` is a symbolic link");
    says(
        &link("exercises/ex07-adam", ""),
        "`ex07-adam` is a symbolic link",
    );
    says(
        &link("exercises/ex07-adam/src", "src"),
        "`ex07-adam/src` is a symbolic link",
    );
    says(&link("exercises", ""), "There is no src/lib.rs in it");
    says(&link("repo", ""), "There is no src/lib.rs in it");
    says(&link("ann.zip", "lib.rs"), "There is no src/lib.rs in it");

    let scratch = Scratch::new();
    symlink(secret.0.clone(), scratch.at("ann")).unwrap();
    symlink(secret.at("lib.rs"), scratch.at("bob.rs")).unwrap();
    for one in scratch.ex07() {
        let why = one.files.unwrap_err().why;
        assert_eq!(
            why,
            "What was handed in is a symbolic link. Hand in the files themselves."
        );
    }

    let scratch = Scratch::new();
    scratch.write("ann/src/notes.txt", "");
    fs::hard_link(secret.at("lib.rs"), scratch.at("ann/src/lib.rs")).unwrap();
    says(&scratch, "`src/lib.rs` is a hard link");

    let scratch = Scratch::new();
    scratch.write("ann/src/notes.txt", "");
    let pipe = |path: &Path| {
        let status = std::process::Command::new("mkfifo")
            .arg(path)
            .status()
            .unwrap();
        assert!(status.success());
    };
    pipe(&scratch.at("ann/src/lib.rs"));
    says(&scratch, "`src/lib.rs` is a pipe, a socket or a device");
    fs::remove_file(scratch.at("ann/src/lib.rs")).unwrap();
    scratch.write("ann/src/lib.rs", CODE);
    pipe(&scratch.at("ann/src/data"));
    pipe(&scratch.at("ann/Cargo.toml"));
    assert_eq!(sources(&scratch.one()), [("lib.rs", CODE)]);
}

#[cfg(unix)]
#[test]
fn what_this_machine_cannot_read_is_no_fault_of_the_student() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    scratch
        .write("ann/src/lib.rs", CODE)
        .write("bob/src/lib.rs", CODE);
    let shut = |mode| {
        fs::set_permissions(scratch.at("ann/src"), fs::Permissions::from_mode(mode)).unwrap();
    };
    shut(0o000);
    let readable = fs::read_dir(scratch.at("ann/src")).is_ok();
    let mut found = scratch.find(Some("ex07")).unwrap();
    let read = found.read();
    shut(0o755);
    if readable {
        // Root reads everything, so there is nothing to see.
        return;
    }
    assert_eq!(read.len(), 1);
    assert_eq!(found.unread.len(), 1);
    assert_eq!(found.unread[0].student, "ann");
}

#[test]
fn archives_that_lead_out_of_themselves_are_refused() {
    let entries = [
        "../evil.rs",
        "src/../../evil.rs",
        "/etc/cron.d/evil.rs",
        "C:/evil.rs",
        "notes/../../x.txt",
    ];
    for entry in entries {
        let files: &[Entry<'_>] = &[("src/lib.rs", CODE.as_bytes()), (entry, b"//")];
        for bytes in [zip(files), regular(files), gz(&regular(files))] {
            let scratch = Scratch::new();
            scratch.write("ann.zip", bytes);
            let why = scratch.refused();
            assert!(
                why.contains(&format!("an entry `{entry}`, which leads out of it")),
                "{why}"
            );
        }
    }
    // The separators of Windows are separators.
    let scratch = Scratch::new();
    scratch.write("ann.zip", zip(&[("src\\lib.rs", CODE.as_bytes())]));
    assert_eq!(sources(&scratch.one()), [("lib.rs", CODE)]);
    let scratch = Scratch::new();
    scratch.write("ann.zip", zip(&[("..\\lib.rs", CODE.as_bytes())]));
    assert!(scratch.refused().contains("leads out of it"));
}

#[test]
fn links_and_devices_in_archives_are_refused_where_they_count() {
    use tar::EntryType::{Block, Fifo, GNUSparse, Link, Regular, Symlink};
    let lib = || member("src/lib.rs", Regular, "", CODE.as_bytes());
    let cases = [
        (
            vec![member("src", Symlink, "/etc", b"")],
            "`src` is a symbolic link",
        ),
        (
            vec![member("src", Symlink, "/etc", b""), lib()],
            "`src` is a symbolic link in the archive and has files in it all the same",
        ),
        (
            vec![member("src/lib.rs", Symlink, "/etc/passwd", b"")],
            "`src/lib.rs` is a symbolic link",
        ),
        (
            vec![member("src/lib.rs", Link, "/etc/passwd", b"")],
            "`src/lib.rs` is a hard link",
        ),
        (
            vec![lib(), member("src/x", Symlink, "/etc", b"")],
            "`src/x` is a symbolic link",
        ),
        (
            vec![member("src/lib.rs", Fifo, "", b"")],
            "`src/lib.rs` is a pipe",
        ),
        (
            vec![member("src/lib.rs", Block, "", b"")],
            "`src/lib.rs` is a pipe, a socket or a device",
        ),
        (
            vec![member("src/lib.rs", GNUSparse, "", b"")],
            "`src/lib.rs` is a pipe",
        ),
        (vec![lib(), lib()], "`src/lib.rs` is in the archive twice"),
    ];
    for (members, says) in cases {
        let scratch = Scratch::new();
        scratch.write("ann.tar.gz", gz(&tar(&members)));
        let why = scratch.refused();
        assert!(why.contains(says), "{says}: {why}");
    }
    let scratch = Scratch::new();
    scratch.write(
        "ann.tar",
        tar(&[
            lib(),
            member("bin/tool", Symlink, "/bin/sh", b""),
            member("pipe", Fifo, "", b""),
        ]),
    );
    assert_eq!(sources(&scratch.one()), [("lib.rs", CODE)]);

    // A zip says in its attributes what an entry is.
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    let (mut entry, config) = archive
        .new_file("src/lib.rs")
        .unix_permissions(0o120_777)
        .start()
        .unwrap();
    let mut writer = config.wrap(&mut entry);
    writer.write_all(b"/etc/passwd").unwrap();
    let (_, descriptor) = writer.finish().unwrap();
    entry.finish(descriptor).unwrap();
    archive.finish().unwrap();
    let scratch = Scratch::new();
    scratch.write("ann.zip", bytes);
    assert!(
        scratch
            .refused()
            .contains("`src/lib.rs` is a symbolic link")
    );
}

#[test]
fn long_names_in_tars_are_read_as_far_as_they_can_count() {
    use tar::EntryType::{GNULongName, Regular, XHeader};
    let top = "t".repeat(150);
    let path = format!("{top}/src/lib.rs");
    let pax = |key: &str, value: &str| {
        let body = format!(" {key}={value}\n");
        let mut length = body.len() + 2;
        while length.to_string().len() + body.len() != length {
            length = length.to_string().len() + body.len();
        }
        format!("{length}{body}")
    };
    let lib = || member("cut off", Regular, "", CODE.as_bytes());
    let good = [
        tar(&[
            member(
                "././@LongLink",
                GNULongName,
                "",
                format!("{path}\0").as_bytes(),
            ),
            lib(),
        ]),
        tar(&[
            member("pax", XHeader, "", pax("path", &path).as_bytes()),
            lib(),
        ]),
    ];
    for bytes in good {
        let scratch = Scratch::new();
        scratch.write("ann.tar", bytes);
        assert_eq!(sources(&scratch.one()), [("lib.rs", CODE)]);
    }
    let huge = "t/".repeat(5000);
    let bad = [
        (
            tar(&[member("l", GNULongName, "", huge.as_bytes()), lib()]),
            "more than 1024 bytes",
        ),
        (
            tar(&[member("l", GNULongName, "", &vec![b'a'; 70_000]), lib()]),
            "damaged",
        ),
        (
            tar(&[
                member("l", XHeader, "", pax("path", &huge).as_bytes()),
                lib(),
            ]),
            "more than 1024 bytes",
        ),
        (
            tar(&[
                member("l", XHeader, "", pax("path", "../lib.rs").as_bytes()),
                lib(),
            ]),
            "leads out of it",
        ),
        (
            tar(&[member("l", XHeader, "", pax("size", "5").as_bytes()), lib()]),
            "damaged",
        ),
        (
            tar(&[
                member("l", XHeader, "", b"99999999999999999999 path=x\n"),
                lib(),
            ]),
            "damaged",
        ),
    ];
    for (bytes, says) in bad {
        let scratch = Scratch::new();
        scratch.write("ann.tar", bytes);
        let why = scratch.refused();
        assert!(why.contains(says), "{says}: {why}");
    }
}

#[test]
fn bombs_are_read_to_their_limit_and_no_further() {
    // In a zip only the file that counts is unpacked, and only to its limit.
    let zeros = vec![b' '; 8 << 20];
    let scratch = Scratch::new();
    scratch.write(
        "ann.zip",
        zip(&[("src/lib.rs", CODE.as_bytes()), ("bomb.bin", &zeros)]),
    );
    assert_eq!(sources(&scratch.one()), [("lib.rs", CODE)]);
    let scratch = Scratch::new();
    scratch.write("ann.zip", zip(&[("src/lib.rs", &zeros)]));
    assert!(
        scratch
            .refused()
            .contains("`src/lib.rs` is larger than 256 KB")
    );

    // A compressed tar is a stream: what comes before the file that counts has to be unpacked.
    let scratch = Scratch::new();
    let bomb = regular(&[("bomb.bin", &zeros), ("src/lib.rs", CODE.as_bytes())]);
    scratch.write("ann.tar.gz", gz(&bomb));
    let why = scratch.refused();
    assert!(why.contains("unpacks to far more than it should"), "{why}");
    // Packed less tightly, it is as good as any.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(&bomb).unwrap();
    scratch.write("ann.tar.gz", encoder.finish().unwrap());
    assert_eq!(sources(&scratch.one()), [("lib.rs", CODE)]);

    // An entry that claims to be larger than the archive.
    let mut header = tar::Header::new_gnu();
    header.set_path("src/lib.rs").unwrap();
    header.set_size(1 << 40);
    header.set_cksum();
    let scratch = Scratch::new();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend([b' '; 512]);
    scratch.write("ann.tar", bytes);
    let why = scratch.refused();
    assert!(
        why.contains("damaged") || why.contains("larger than"),
        "{why}"
    );
}

#[test]
fn archives_of_other_kinds_and_encrypted_ones_are_told_what_to_do() {
    for name in ["ann.7z", "ann.rar", "ann.tar.xz", "ann.gz"] {
        let scratch = Scratch::new();
        scratch.write(name, "x");
        let why = scratch.refused();
        assert!(
            why.contains("is not read. Hand in a .zip or a .tar.gz."),
            "{why}"
        );
    }
    let mut bytes = zip(&[("src/lib.rs", CODE.as_bytes())]);
    let central = bytes
        .windows(4)
        .position(|window| window == b"PK\x01\x02")
        .unwrap();
    // The flag of encryption, in both headers.
    bytes[6] |= 1;
    bytes[central + 8] |= 1;
    let scratch = Scratch::new();
    scratch.write("ann.zip", &bytes);
    assert!(scratch.refused().contains("`src/lib.rs` is encrypted"));
    bytes[6] &= !1;
    bytes[central + 8] &= !1;
    // Zstandard, where deflate was.
    bytes[central + 10] = 93;
    scratch.write("ann.zip", &bytes);
    assert!(scratch.refused().contains("compressed with method 93"));
}

// --- Whatever comes -------------------------------------------------------------------------------------------------------------

#[test]
fn mutated_archives_are_read_or_refused_and_nothing_panics() {
    let lib =
        "pub fn step() {} // a line that deflate finds twice, a line that deflate finds twice\n";
    let files: &[Entry<'_>] = &[
        ("repo/src/lib.rs", lib.as_bytes()),
        ("repo/src/m.rs", b"//"),
        ("repo/Cargo.toml", b"[package]"),
    ];
    let seeds = [zip(files), regular(files), gz(&regular(files))];
    let mut random = Random::new(20_180_501);
    let cases = std::env::var("MOMENTS_FUZZ_CASES").map_or(1500, |text| text.parse().unwrap());
    let scratch = Scratch::new();
    let mut accepted = 0;
    for case in 0..cases {
        let mut bytes = seeds[case % seeds.len()].clone();
        for _ in 0..=random.bits() % 4 {
            let at = (random.bits() % bytes.len() as u64) as usize;
            match random.bits() % 6 {
                0 => bytes[at] = random.bits() as u8,
                1 => bytes[at] ^= 1 << (random.bits() % 8),
                2 => bytes.truncate(at.max(1)),
                3 => {
                    bytes.remove(at);
                    bytes.push(0);
                }
                4 => bytes[at] = [0, 0xff, b'/', b'.'][(random.bits() % 4) as usize],
                _ => {
                    let piece = bytes[at..(at + 30).min(bytes.len())].to_vec();
                    let to = (random.bits() % bytes.len() as u64) as usize;
                    bytes.splice(to..to, piece);
                }
            }
        }
        scratch.write("ann.zip", &bytes);
        let mut found = scratch.find(Some("ex07")).unwrap();
        let read = found.read();
        assert_eq!(found.unread, [], "case {case}");
        match &read[0].files {
            Ok(files) => {
                accepted += 1;
                let total: usize = files.sources.iter().map(|(_, text)| text.len()).sum();
                assert!(total <= 4096, "case {case}");
                assert!(
                    files.sources.iter().any(|(path, _)| path == "lib.rs"),
                    "case {case}"
                );
                for (path, _) in &files.sources {
                    assert!(
                        !path.starts_with('/') && !path.contains(".."),
                        "case {case}: {path}"
                    );
                }
            }
            Err(refusal) => assert!(refusal.why.ends_with('.'), "case {case}: {}", refusal.why),
        }
    }
    // Some changes hit what does not matter.
    assert!(
        accepted > cases / 100 && accepted < cases,
        "{accepted} of {cases}"
    );
}
