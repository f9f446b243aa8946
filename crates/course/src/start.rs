//! `cargo course`: the book at once, the notebooks as soon as they can be had, and nothing left when it ends.

use std::cell::RefCell;
use std::fs::{self, File, TryLockError};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use moments_kernel::{Kind, Layout, Reporter, Step};
use serde::{Deserialize, Serialize};

use crate::lab::Jupyter;
use crate::server::{self, Lab, Site};
use crate::stop::Stop;
use crate::ui::{self, Line, Style, duration};
use crate::{book, process};

/// What `cargo course start` was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) port: Option<u16>,
    pub(crate) lab: bool,
    pub(crate) open: bool,
}

/// The port that is tried first: mdBook's own.
const PORT: u16 = 3000;

/// What a running `cargo course` says about itself, in `.course/session.json`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Session {
    address: String,
    lab: Option<u32>,
}

impl Session {
    fn path(layout: &Layout) -> PathBuf {
        layout.course().join("session.json")
    }

    fn read(layout: &Layout) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(Self::path(layout)).ok()?).ok()
    }

    fn write(&self, layout: &Layout) -> Result<()> {
        let text = serde_json::to_string(self).context("Could not describe the session")?;
        write_private(&Self::path(layout), &text)
    }
}

/// `cargo course start`.
pub(crate) fn start(layout: &Layout, options: Options) -> Result<ExitCode> {
    fs::create_dir_all(layout.course()).with_context(|| {
        format!(
            "Could not create {}. Is the disk full, or the folder read-only?",
            layout.course().display()
        )
    })?;
    let Some(_lock) = lock(layout)? else {
        let address = Session::read(layout).map_or_else(
            || "an address that it is about to print".to_owned(),
            |session| session.address,
        );
        ui::say(&format!(
            "It already runs in this clone: {address}\nStop it there with Ctrl-C, or open that address."
        ));
        return Ok(ExitCode::SUCCESS);
    };
    let stop = Stop::listen()?;
    sweep(layout);

    let listener = server::bind(options.port.unwrap_or(PORT), options.port.is_some())?;
    let port = listener
        .local_addr()
        .context("The server has no address")?
        .port();
    if port != options.port.unwrap_or(PORT) {
        ui::say(&format!("Port {PORT} is in use, so the book takes {port}."));
    }
    let once = random()?;
    let site = Arc::new(Site::new(
        layout.root().to_owned(),
        port,
        key(layout)?,
        once.clone(),
    ));
    server::serve(listener, Arc::clone(&site))?;
    let mut session = Session {
        address: site.address(),
        lab: None,
    };
    session.write(layout)?;

    let mut snapshot = book::Snapshot::take(layout.root());
    build(layout, &site);
    let style = Style::stdout();
    ui::say(&format!(
        "\n  {}  {}\n\n{}",
        style.bold("The book:"),
        site.address(),
        style.dim(&folded(
            "Open exactly this address; others on this machine do not know it. Ctrl-C ends everything."
        ))
    ));
    if options.open {
        open(&format!("http://127.0.0.1:{port}/?key={once}"));
    }

    let labs = options.lab.then(|| {
        site.set_lab(Lab::Waiting {
            step: "Looking at what is there.".to_owned(),
            detail: String::new(),
            estimate: String::new(),
        });
        let (layout, site, stop) = (layout.clone(), Arc::clone(&site), stop.clone());
        thread::spawn(move || run_lab(&layout, &site, &stop, &mut session))
    });

    while !stop.wait(Duration::from_secs(1)) {
        let now = book::Snapshot::take(layout.root());
        if now != snapshot {
            snapshot = now;
            let began = Instant::now();
            if build(layout, &site) {
                ui::say(&format!(
                    "The book was built again in {:.1} s.",
                    began.elapsed().as_secs_f64()
                ));
            }
        }
    }

    ui::say("\nStopping.");
    // What an interrupted installation had started may outlive the one that started it, and then has no parent to find it by.
    let below = process::descendants(std::process::id());
    if let Some(labs) = labs {
        let _ = labs.join();
    }
    process::end_all(&below);
    let _ = fs::remove_file(Session::path(layout));
    ui::say("Everything that was started has ended.");
    Ok(ExitCode::SUCCESS)
}

/// Builds the book beside the one that is being served, and serves it if that works.
fn build(layout: &Layout, site: &Site) -> bool {
    let folder = layout.course().join("site");
    let [one, two] = [folder.join("1"), folder.join("2")];
    let to = if site.book().as_ref() == Some(&one) {
        two
    } else {
        one
    };
    match book::build(layout.root(), &to) {
        Ok(()) => {
            site.set_book(to);
            true
        }
        Err(error) => {
            let problem = format!("{error:#}");
            let kept = if site.book().is_some() {
                "The pages stay as they were until it is mended."
            } else {
                "It is tried again when a file changes."
            };
            ui::say(&format!("The book could not be built:\n{problem}\n{kept}"));
            site.set_problem(&problem);
            false
        }
    }
}

/// Sets up what is missing, and keeps JupyterLab running until it is time to stop.
fn run_lab(layout: &Layout, site: &Site, stop: &Stop, session: &mut Session) {
    let began = Instant::now();
    let mut teller = Teller::new(stop.clone(), Some(site));
    let set_up = moments_kernel::setup(layout, &mut teller);
    teller.finish();
    if stop.wanted() {
        return;
    }
    let started = set_up
        .map_err(|error| anyhow!("{}", explain(&error)))
        .and_then(|()| {
            site.set_lab(Lab::Waiting {
                step: "JupyterLab starts.".to_owned(),
                detail: String::new(),
                estimate: "some seconds".to_owned(),
            });
            Jupyter::start(layout, random()?)
        });
    let mut jupyter = match started {
        Ok(jupyter) => jupyter,
        Err(error) => return give_up(site, &format!("{error:#}")),
    };
    session.lab = Some(jupyter.id());
    let ready = session
        .write(layout)
        .and_then(|()| jupyter.wait_until_it_answers(stop));
    if let Err(error) = ready {
        jupyter.end();
        if !stop.wanted() {
            give_up(site, &format!("{error:#}"));
        }
        return;
    }
    site.set_lab(Lab::Ready {
        port: jupyter.port,
        token: jupyter.token.clone(),
    });
    ui::say(&format!(
        "JupyterLab is ready after {}: the buttons of the book open it, and so does\n  http://127.0.0.1:{}/lab?token={}",
        duration(began.elapsed()),
        jupyter.port,
        jupyter.token
    ));
    while !stop.wait(Duration::from_secs(1)) {
        if jupyter.has_ended() {
            let words = jupyter.last_words();
            jupyter.end();
            return give_up(site, &format!("JupyterLab has ended by itself:\n{words}"));
        }
    }
    jupyter.end();
}

/// A sentence in lines of the terminal's width, broken between words.
fn folded(sentence: &str) -> String {
    ui::wrap(sentence, ui::columns().unwrap_or(usize::MAX))
}

fn give_up(site: &Site, why: &str) {
    // What a tool had to say stays as it is.
    let (first, rest) = why.split_once('\n').unwrap_or((why, ""));
    ui::say(&format!(
        "\n{}\n{rest}{}{}",
        folded(&format!("There are no notebooks for now. {first}")),
        if rest.is_empty() { "" } else { "\n\n" },
        folded(
            "The book goes on being served. Ctrl-C and `cargo course` carry on from here; `cargo course doctor` says what is missing."
        )
    ));
    site.set_lab(Lab::Failed(why.to_owned()));
}

/// An error of the set-up, and what helps where its own words may not say it.
fn explain(error: &moments_kernel::Error) -> String {
    let more = match error.kind() {
        Kind::NoPython if !error.to_string().contains("install") => {
            " Install Python 3.10 or newer (on Debian and Ubuntu: `apt install python3 python3-venv`)."
        }
        _ => "",
    };
    format!("{error}{more}")
}

/// Tells how the set-up goes: on the terminal, and on the page that waits for it.
pub(crate) struct Teller<'a> {
    stop: Stop,
    site: Option<&'a Site>,
    line: RefCell<Line>,
    step: Option<(Step, Instant)>,
    detail: String,
    told: RefCell<Instant>,
}

impl<'a> Teller<'a> {
    pub(crate) fn new(stop: Stop, site: Option<&'a Site>) -> Self {
        Self {
            stop,
            site,
            line: RefCell::new(Line::new()),
            step: None,
            detail: String::new(),
            told: RefCell::new(Instant::now()),
        }
    }

    pub(crate) fn finish(&mut self) {
        self.line.borrow_mut().clear();
    }

    fn show(&self) {
        *self.told.borrow_mut() = Instant::now();
        if let Some((step, began)) = &self.step {
            self.line.borrow_mut().update(&format!(
                "  {} [{}] {}",
                step.name(),
                duration(began.elapsed()),
                self.detail
            ));
        }
    }

    fn show_on_page(&self) {
        if let (Some(site), Some((step, _))) = (self.site, &self.step) {
            site.set_lab(Lab::Waiting {
                step: format!("Setting up: {}", step.what()),
                detail: self.detail.clone(),
                estimate: step.estimate().to_owned(),
            });
        }
    }
}

impl Reporter for Teller<'_> {
    fn begin(&mut self, step: Step) {
        self.step = Some((step, Instant::now()));
        self.detail.clear();
        let text = format!(
            "Setting up {}: {} ({})",
            step.name(),
            step.what(),
            step.estimate()
        );
        self.line.borrow_mut().keep(&folded(&text));
        self.show_on_page();
    }

    fn progress(&mut self, text: &str) {
        text.clone_into(&mut self.detail);
        self.show();
        self.show_on_page();
    }

    fn note(&mut self, text: &str) {
        self.line.borrow_mut().keep(text);
    }

    fn end(&mut self, step: Step, seconds: f64) {
        self.step = None;
        self.line.borrow_mut().keep(&format!(
            "  {} is done after {}.",
            step.name(),
            duration(Duration::from_secs_f64(seconds))
        ));
    }

    fn cancelled(&self) -> bool {
        // It is asked ten times a second, so the seconds go on counting while a long step says nothing.
        if self.told.borrow().elapsed() >= Duration::from_secs(1) {
            self.show();
        }
        self.stop.wanted()
    }
}

/// `cargo course setup`: the steps without the servers.
pub(crate) fn setup(layout: &Layout) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    let began = Instant::now();
    let finished = Stop::default();
    // A step that is interrupted ends its own child; what that child had started is ended here.
    let watch = {
        let (stop, finished) = (stop.clone(), finished.clone());
        thread::spawn(move || {
            while !finished.wait(Duration::from_millis(100)) {
                if stop.wanted() {
                    let below = process::descendants(std::process::id());
                    finished.wait(Duration::from_secs(5));
                    process::end_all(&below);
                    return;
                }
            }
        })
    };
    let mut teller = Teller::new(stop, None);
    let done = moments_kernel::setup(layout, &mut teller);
    teller.finish();
    finished.now();
    let _ = watch.join();
    done.map_err(|error| anyhow!("{}", explain(&error)))?;
    ui::say(&format!(
        "Everything is set up ({}).",
        duration(began.elapsed())
    ));
    Ok(ExitCode::SUCCESS)
}

/// The lock that one running `cargo course` holds per clone; the system releases it when the process ends, however it ends.
fn lock(layout: &Layout) -> Result<Option<File>> {
    let path = layout.course().join("start.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| {
            format!(
                "Could not write {}. Is the disk full, or the folder read-only?",
                path.display()
            )
        })?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("Could not lock {}", path.display()))
        }
    }
}

/// Where a running `cargo course` of this clone serves the book.
pub(crate) fn book_address(layout: &Layout) -> Option<String> {
    let path = layout.course().join("start.lock");
    let file = File::options().write(true).open(path).ok()?;
    // Who can lock it is alone, and what a session file says is about an earlier start.
    if !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return None;
    }
    let address = Session::read(layout)?.address;
    let book = address.split_once("/?").map_or(&*address, |(book, _)| book);
    Some(book.to_owned())
}

/// Ends a JupyterLab that a killed `cargo course` of this clone left behind.
fn sweep(layout: &Layout) {
    let Some(Session { lab: Some(lab), .. }) = Session::read(layout) else {
        return;
    };
    let program = layout.venv_bin("jupyter-lab");
    // The id may belong to another process by now.
    if process::command_line(lab).is_some_and(|line| line.contains(&*program.to_string_lossy())) {
        ui::say("Ending the JupyterLab that an earlier start left behind.");
        let mut all = process::descendants(lab);
        all.push(lab);
        process::end_all(&all);
    }
    let _ = fs::remove_file(Session::path(layout));
}

/// The key of this clone's addresses. It is kept, so that a bookmark and an open tab work after the next start.
fn key(layout: &Layout) -> Result<String> {
    let path = layout.course().join("key");
    if let Ok(text) = fs::read_to_string(&path) {
        let key = text.trim();
        if key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(key.to_owned());
        }
    }
    let key = random()?;
    write_private(&path, &key)?;
    Ok(key)
}

/// 128 random bits, as 32 hexadecimal digits.
fn random() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow!("The system gives no random numbers: {error}"))?;
    Ok(format!("{:032x}", u128::from_le_bytes(bytes)))
}

/// Writes a file that only its owner can read.
fn write_private(path: &Path, text: &str) -> Result<()> {
    let failed = || {
        format!(
            "Could not write {}. Is the disk full, or the folder read-only?",
            path.display()
        )
    };
    let mut options = File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)
}

/// Opens the browser, where there is a person to see it.
fn open(address: &str) {
    let screen = cfg!(any(windows, target_os = "macos"))
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some());
    if !screen || !std::io::stdout().is_terminal() || std::env::var_os("SSH_CONNECTION").is_some() {
        return;
    }
    let mut command = if cfg!(windows) {
        let mut command = Command::new("rundll32");
        command.arg("url.dll,FileProtocolHandler");
        command
    } else if cfg!(target_os = "macos") {
        Command::new("open")
    } else {
        Command::new("xdg-open")
    };
    command
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    process::apart(&mut command);
    // Without such a program the printed address is enough.
    if let Ok(mut child) = command.spawn() {
        thread::spawn(move || {
            let _ = child.wait();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clone(name: &str) -> Layout {
        let root =
            std::env::temp_dir().join(format!("moments-start-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join(".course")).unwrap();
        Layout::with_cache(&root, root.join("cache")).unwrap()
    }

    #[test]
    fn a_second_start_in_the_same_clone_is_noticed() {
        let layout = clone("lock");
        let first = lock(&layout).unwrap();
        assert!(first.is_some());
        assert!(lock(&layout).unwrap().is_none());
        drop(first);
        assert!(lock(&layout).unwrap().is_some());
        fs::remove_dir_all(layout.root()).unwrap();
    }

    #[test]
    fn the_address_of_the_book_is_known_while_it_is_served() {
        let layout = clone("address");
        let session = Session {
            address: "http://127.0.0.1:3000/?key=0".to_owned(),
            lab: None,
        };
        session.write(&layout).unwrap();
        let held = lock(&layout).unwrap();
        assert_eq!(
            book_address(&layout).as_deref(),
            Some("http://127.0.0.1:3000")
        );
        drop(held);
        assert_eq!(book_address(&layout), None);
        fs::remove_dir_all(layout.root()).unwrap();
    }

    #[test]
    fn the_key_is_kept_and_nobody_else_can_read_it() {
        let layout = clone("key");
        let first = key(&layout).unwrap();
        assert_eq!(first.len(), 32);
        assert_eq!(key(&layout).unwrap(), first);
        assert_ne!(random().unwrap(), random().unwrap());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(layout.course().join("key"))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::remove_dir_all(layout.root()).unwrap();
    }

    #[test]
    fn a_process_that_took_over_an_old_id_is_left_alone() {
        let layout = clone("sweep");
        let own = Session {
            address: String::new(),
            lab: Some(std::process::id()),
        };
        own.write(&layout).unwrap();
        sweep(&layout);
        assert!(Session::read(&layout).is_none());
        fs::remove_dir_all(layout.root()).unwrap();
    }
}
