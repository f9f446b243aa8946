//! The server of the book: its pages, live reload, and the way into JupyterLab.
//!
//! Loopback is shared by all users of a machine, and by every page that a browser has open. So:
//! - a request must name this server as its host, or a page elsewhere could point its own name at 127.0.0.1 and read the
//!   answers (DNS rebinding);
//! - only a browser that came through the printed address is led into JupyterLab. The address carries a random key; the
//!   browser gets it back as a cookie that scripts cannot read (`HttpOnly`) and that no other site's links carry
//!   (`SameSite=Strict`). JupyterLab runs code as the person who started it, so its token must not go to another user
//!   of the machine who merely asks the book for it. The book itself is no secret: without the cookie it can be read, and
//!   `lab.html` is the ordinary page that says how to start.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;

use crate::{copies, ui};

/// Where JupyterLab stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lab {
    /// It was not asked for.
    Off,
    /// It is being set up or started.
    Waiting {
        /// What is done now, in a sentence.
        step: String,
        /// The last line of progress.
        detail: String,
        /// How long it usually takes.
        estimate: String,
    },
    /// It answers.
    Ready { port: u16, token: String },
    /// It cannot be had; a sentence says why.
    Failed(String),
}

/// What the server serves.
#[derive(Debug)]
pub(crate) struct Site {
    root: PathBuf,
    port: u16,
    key: String,
    /// A second key, for the browser that this command opens itself: it is used up by the first request, because the
    /// command line of the browser's starter can be read by other users.
    once: Mutex<Option<String>>,
    /// The folder of the built book, once there is one; until then, why there is none.
    book: RwLock<Result<PathBuf, String>>,
    version: AtomicU64,
    lab: Mutex<(Lab, Instant)>,
}

/// A request, as far as the answer depends on it.
#[derive(Debug, Clone, Copy)]
struct Ask<'a> {
    path: &'a str,
    query: &'a str,
    host: &'a str,
    cookies: &'a str,
}

struct Reply {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Vec<u8>,
}

impl Reply {
    fn new(status: StatusCode, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![(header::CONTENT_TYPE, kind.to_owned())],
            body: body.into(),
        }
    }

    fn page(status: StatusCode, title: &str, body: &str) -> Self {
        Self::new(status, "text/html; charset=utf-8", shell(title, body))
    }

    fn see_other(to: String) -> Self {
        let mut reply = Self::new(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "");
        reply.headers.push((header::LOCATION, to));
        reply
    }
}

impl Site {
    pub(crate) fn new(root: PathBuf, port: u16, key: String, once: String) -> Self {
        Self {
            root,
            port,
            key,
            once: Mutex::new(Some(once)),
            book: RwLock::new(Err("The book is being built.".to_owned())),
            version: AtomicU64::new(0),
            lab: Mutex::new((Lab::Off, Instant::now())),
        }
    }

    /// The address to print.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/?key={}", self.port, self.key)
    }

    /// From now on the book is served from this folder, and open pages reload.
    pub(crate) fn set_book(&self, folder: PathBuf) {
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = Ok(folder);
        self.version.fetch_add(1, Ordering::Relaxed);
    }

    /// The folder that is being served.
    pub(crate) fn book(&self) -> Option<PathBuf> {
        self.book
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok()
    }

    /// Why there is no book. Pages that were built before go on being served.
    pub(crate) fn set_problem(&self, problem: &str) {
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        if book.is_err() {
            *book = Err(problem.to_owned());
        }
    }

    pub(crate) fn set_lab(&self, lab: Lab) {
        let mut held = self.lab.lock().unwrap_or_else(PoisonError::into_inner);
        let same_step = matches!(
            (&held.0, &lab),
            (Lab::Waiting { step: old, .. }, Lab::Waiting { step: new, .. }) if old == new
        );
        let since = if same_step { held.1 } else { Instant::now() };
        *held = (lab, since);
    }

    fn lab(&self) -> (Lab, Duration) {
        let held = self.lab.lock().unwrap_or_else(PoisonError::into_inner);
        (held.0.clone(), held.1.elapsed())
    }

    fn answer(&self, ask: Ask<'_>) -> Reply {
        let names = [
            format!("127.0.0.1:{}", self.port),
            format!("localhost:{}", self.port),
        ];
        if !names.iter().any(|name| ask.host.eq_ignore_ascii_case(name)) {
            return Reply::new(
                StatusCode::FORBIDDEN,
                "text/plain; charset=utf-8",
                format!("This server is called {}; open that address.\n", names[0]),
            );
        }
        if let Some(given) = parameter(ask.query, "key") {
            return self.welcome(ask, &given);
        }
        let known = self.knows(ask.cookies);
        match ask.path {
            "/.course/version" => Reply::new(
                StatusCode::OK,
                "text/plain; charset=utf-8",
                self.version.load(Ordering::Relaxed).to_string(),
            ),
            "/.course/reload.js" => {
                Reply::new(StatusCode::OK, "text/javascript; charset=utf-8", RELOAD)
            }
            "/.course/lab" if known => self.lab_state(),
            "/lab.html" if known => match parameter(ask.query, "nb") {
                Some(slug) if copies::exists(&self.root, &slug) => self
                    .enter_lab(ask, &slug)
                    .unwrap_or_else(|| self.file(ask.path)),
                _ => self.file(ask.path),
            },
            path => self.file(path),
        }
    }

    /// Gives the cookie to whom has the key, and takes the key out of the address either way.
    fn welcome(&self, ask: Ask<'_>, given: &str) -> Reply {
        let rest: Vec<&str> = ask
            .query
            .split('&')
            .filter(|pair| !pair.starts_with("key="))
            .collect();
        let mut to = ask.path.to_owned();
        if !rest.is_empty() {
            let _ = write!(to, "?{}", rest.join("&"));
        }
        // A path that begins with two slashes would name another host.
        let mut reply = Reply::see_other(format!("/{}", to.trim_start_matches('/')));
        let mut once = self.once.lock().unwrap_or_else(PoisonError::into_inner);
        let by_once = once.as_ref().is_some_and(|once| equal(once, given));
        if by_once {
            *once = None;
        }
        if by_once || equal(&self.key, given) {
            reply.headers.push((
                header::SET_COOKIE,
                format!(
                    "{}={}; Path=/; HttpOnly; SameSite=Strict",
                    self.cookie_name(),
                    self.key
                ),
            ));
        }
        reply
    }

    /// Cookies are shared by all ports of a host, so the port is part of the name: two clones can run side by side.
    fn cookie_name(&self) -> String {
        format!("moments-{}", self.port)
    }

    fn knows(&self, cookies: &str) -> bool {
        let name = self.cookie_name();
        cookies
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .any(|(given, value)| given == name && equal(value, &self.key))
    }

    /// The way to a notebook, or `None` when JupyterLab was not asked for.
    fn enter_lab(&self, ask: Ask<'_>, slug: &str) -> Option<Reply> {
        Some(match self.lab().0 {
            Lab::Off => return None,
            Lab::Ready { port, token } => match copies::open(&self.root, slug) {
                Ok(copy) => {
                    if let Some(note) = copy.note {
                        ui::say(&note);
                    }
                    let host = ask.host.split(':').next().unwrap_or("127.0.0.1");
                    Reply::see_other(format!(
                        "http://{host}:{port}/lab/tree/{}?token={token}",
                        copy.path
                    ))
                }
                Err(error) => Reply::page(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "The notebook could not be opened",
                    &format!("<p>{}</p>{BACK}", escape(&format!("{error:#}"))),
                ),
            },
            Lab::Failed(why) => Reply::page(
                StatusCode::SERVICE_UNAVAILABLE,
                "JupyterLab could not be started",
                &format!(
                    "<pre>{}</pre><p>Then stop <code>cargo course</code> in the terminal with Ctrl-C and start it again: it carries on from there. <code>cargo course doctor</code> says what is missing.</p>{BACK}",
                    escape(&why)
                ),
            ),
            Lab::Waiting { .. } => Reply::page(
                StatusCode::OK,
                "The notebook is being made ready",
                &format!(
                    "<p>This page opens the notebook by itself as soon as JupyterLab answers. You can read on meanwhile; the first set-up takes minutes, later starts take seconds.</p><p role=\"status\" id=\"state\">{}</p><p id=\"detail\"></p><noscript><p><a href=\"/lab.html?nb={slug}\">Look again</a></p></noscript>{BACK}<script>{WAIT}</script>",
                    escape(&self.lab_sentence())
                ),
            ),
        })
    }

    fn lab_sentence(&self) -> String {
        let (lab, elapsed) = self.lab();
        match lab {
            Lab::Waiting { step, estimate, .. } => {
                let mut text = step;
                if !estimate.is_empty() {
                    let _ = write!(text, " This takes {estimate}.");
                }
                let _ = write!(text, " So far: {}.", ui::duration(elapsed));
                text
            }
            Lab::Ready { .. } => "JupyterLab is ready.".to_owned(),
            Lab::Off => "JupyterLab was not started.".to_owned(),
            Lab::Failed(why) => why,
        }
    }

    fn lab_state(&self) -> Reply {
        let (lab, _) = self.lab();
        let waiting = matches!(lab, Lab::Waiting { .. });
        let detail = match lab {
            Lab::Waiting { detail, .. } => detail,
            _ => String::new(),
        };
        let state =
            json!({ "waiting": waiting, "sentence": self.lab_sentence(), "detail": detail });
        Reply::new(StatusCode::OK, "application/json", state.to_string())
    }

    /// A file of the built book.
    fn file(&self, path: &str) -> Reply {
        let folder = match &*self.book.read().unwrap_or_else(PoisonError::into_inner) {
            Ok(folder) => folder.clone(),
            Err(why) => {
                return Reply::page(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The book is not ready",
                    &format!(
                        "<pre>{}</pre><p>This page reloads when it is.</p>{SCRIPT}",
                        escape(why)
                    ),
                );
            }
        };
        let found = safe(path).and_then(|relative| {
            let mut file = folder.join(relative);
            if file.is_dir() {
                file.push("index.html");
            }
            fs::read(&file).ok().map(|bytes| (file, bytes))
        });
        match found {
            Some((file, bytes)) => {
                Reply::new(StatusCode::OK, kind(&file), with_reload(&file, bytes))
            }
            None => match fs::read(folder.join("404.html")) {
                Ok(bytes) => Reply::new(StatusCode::NOT_FOUND, "text/html; charset=utf-8", bytes),
                Err(_) => Reply::page(StatusCode::NOT_FOUND, "There is no such page", BACK),
            },
        }
    }
}

/// Takes the first free port from `port` on; only that one when it is asked for by name.
pub(crate) fn bind(port: u16, exactly: bool) -> Result<TcpListener> {
    let last = if exactly {
        port
    } else {
        port.saturating_add(50)
    };
    let mut reason = None;
    for candidate in port..=last {
        match TcpListener::bind(("127.0.0.1", candidate)) {
            Ok(listener) => return Ok(listener),
            Err(error) => reason = Some(error),
        }
    }
    let error = reason.map_or_else(String::new, |error| format!(" ({error})"));
    if exactly {
        anyhow::bail!(
            "Port {port} of 127.0.0.1 cannot be used{error}: another program listens there, or it is reserved. Leave `--port` out to take the next free one."
        );
    }
    anyhow::bail!(
        "No port from {port} to {last} of 127.0.0.1 can be used{error}. Name another one with `--port`."
    )
}

/// Serves in a thread of its own, as long as the program runs.
pub(crate) fn serve(listener: TcpListener, site: Arc<Site>) -> Result<()> {
    listener
        .set_nonblocking(true)
        .context("Could not prepare the server's socket")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .context("Could not start the server")?;
    thread::spawn(move || {
        runtime.block_on(async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                return;
            };
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    continue;
                };
                let site = Arc::clone(&site);
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let site = Arc::clone(&site);
                        async move { Ok::<_, Infallible>(respond(&site, &request)) }
                    });
                    // A browser that goes away in the middle is no matter for the terminal.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
    });
    Ok(())
}

fn respond(site: &Site, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let text = |name: HeaderName| -> &str {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    };
    let reply = if matches!(*request.method(), Method::GET | Method::HEAD) {
        site.answer(Ask {
            path: request.uri().path(),
            query: request.uri().query().unwrap_or(""),
            host: text(header::HOST),
            cookies: text(header::COOKIE),
        })
    } else {
        Reply::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "text/plain; charset=utf-8",
            "This server only answers GET and HEAD.\n",
        )
    };
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() = reply.status;
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(name, value);
        }
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    response
}

/// Compares without telling by the time taken how much was right.
fn equal(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes()
            .zip(b.bytes())
            .fold(0, |sum, (x, y)| sum | (x ^ y))
            == 0
}

/// The value of a parameter of a query.
fn parameter(query: &str, name: &str) -> Option<String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(given, _)| *given == name)
        .map(|(_, value)| decode(value))
}

/// Undoes percent-encoding.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The path of a file below the served folder; `None` for a path that could lead out of it, or to a hidden file.
fn safe(path: &str) -> Option<PathBuf> {
    let mut relative = PathBuf::new();
    for part in decode(path).split('/').filter(|part| !part.is_empty()) {
        // A colon or a backslash means something on Windows.
        if part.starts_with('.') || part.contains(['\\', ':', '\0']) {
            return None;
        }
        relative.push(part);
    }
    Some(relative)
}

fn kind(file: &Path) -> &'static str {
    match file.extension().and_then(|end| end.to_str()).unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "ipynb" => "application/x-ipynb+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "txt" | "md" | "toml" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

/// A page learns to reload itself here and not in the book, whose files stay those that any server can serve.
fn with_reload(file: &Path, bytes: Vec<u8>) -> Vec<u8> {
    if file.extension().is_none_or(|end| end != "html") {
        return bytes;
    }
    let text = String::from_utf8_lossy(&bytes);
    match text.rfind("</body>") {
        Some(at) => format!("{}{SCRIPT}{}", &text[..at], &text[at..]).into_bytes(),
        None => bytes,
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

const BACK: &str = "<p><a href=\"/\">Back to the book</a></p>";

const SCRIPT: &str = "<script src=\"/.course/reload.js\" defer></script>";

/// Reloads a page when the book was built again. It asks instead of holding a connection open, because a browser gives one
/// host six connections for all tabs together.
const RELOAD: &str = "\
let known = null;
async function look() {
  if (!document.hidden) {
    try {
      const now = await (await fetch('/.course/version')).text();
      if (known !== null && known !== now) location.reload();
      known = now;
    } catch { /* cargo course was stopped; it may come back */ }
  }
  setTimeout(look, 1500);
}
look();
";

/// Follows the set-up, and opens the notebook once it is done. The sentence is a live region, so it is written only when it
/// says something else than a longer time.
const WAIT: &str = "\
const state = document.getElementById('state'), detail = document.getElementById('detail');
let step = '';
async function look() {
  try {
    const now = await (await fetch('/.course/lab')).json();
    if (!now.waiting) return location.reload();
    const head = now.sentence.split(' So far')[0];
    if (head !== step) { step = head; state.textContent = head; }
    detail.textContent = now.sentence.slice(head.length + 1) + (now.detail ? ' ' + now.detail : '');
  } catch { detail.textContent = 'cargo course does not answer. Was it stopped?'; }
  setTimeout(look, 1000);
}
look();
";

/// A small page in the colours of the book's theme.
fn shell(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>{title} - Moments</title>
<link rel=\"icon\" href=\"data:,\">
<style>
:root {{ color-scheme: light dark; --bg: #fff; --fg: #1c1c1c; --link: #1a5c99; --soft: #f1f1f1; }}
@media (prefers-color-scheme: dark) {{ :root:not(.light) {{ --bg: #161923; --fg: #d8dae3; --link: #8ab4f8; --soft: #232735; }} }}
:root.dark {{ --bg: #161923; --fg: #d8dae3; --link: #8ab4f8; --soft: #232735; color-scheme: dark; }}
body {{ background: var(--bg); color: var(--fg); font: 1.1rem/1.6 system-ui, sans-serif; margin: 0; }}
main {{ max-width: 42rem; margin: 12vh auto; padding: 0 1.5rem; }}
h1 {{ font-size: 1.6rem; line-height: 1.25; }}
a {{ color: var(--link); }}
pre {{ background: var(--soft); padding: 1rem; overflow-x: auto; white-space: pre-wrap; }}
#detail {{ font-family: ui-monospace, monospace; font-size: .85rem; overflow-wrap: anywhere; min-height: 3em; }}
</style>
<script>
const theme = localStorage.getItem('mdbook-theme');
if (theme) document.documentElement.classList.add(/navy|coal|ayu|dark/.test(theme) ? 'dark' : 'light');
</script></head>
<body><main><h1>{title}</h1>{body}</main></body></html>
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Rig {
        site: Site,
        root: PathBuf,
    }

    impl Rig {
        fn new(name: &str) -> Self {
            let root =
                std::env::temp_dir().join(format!("moments-server-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&root);
            let book = root.join("site");
            fs::create_dir_all(&book).unwrap();
            fs::create_dir_all(root.join("notebooks")).unwrap();
            fs::write(root.join("notebooks/04-adam.ipynb"), "{}").unwrap();
            fs::write(root.join("secret.txt"), "secret").unwrap();
            fs::write(book.join("index.html"), "<body>home</body>").unwrap();
            fs::write(book.join("lab.html"), "<body>how to start</body>").unwrap();
            fs::write(book.join("404.html"), "<body>gone</body>").unwrap();
            let site = Site::new(root.clone(), 3000, "k".repeat(32), "once".to_owned());
            site.set_book(book);
            Self { site, root }
        }

        fn get(&self, address: &str, host: &str, cookies: &str) -> (u16, String, String) {
            let (path, query) = address.split_once('?').unwrap_or((address, ""));
            let reply = self.site.answer(Ask {
                path,
                query,
                host,
                cookies,
            });
            let headers = reply
                .headers
                .iter()
                .fold(String::new(), |all, (name, value)| {
                    all + &format!("{name}: {value}\n")
                });
            (
                reply.status.as_u16(),
                headers,
                String::from_utf8(reply.body).unwrap(),
            )
        }
    }

    impl Drop for Rig {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.root);
        }
    }

    const HOST: &str = "127.0.0.1:3000";

    fn cookie() -> String {
        format!("other=1; moments-3000={}", "k".repeat(32))
    }

    fn ready() -> Lab {
        Lab::Ready {
            port: 8888,
            token: "t0ken".to_owned(),
        }
    }

    #[test]
    fn a_request_for_another_host_is_refused() {
        let rig = Rig::new("host");
        for host in [
            "evil.example:3000",
            "127.0.0.1",
            "127.0.0.1:3001",
            "",
            "localhost.evil.example:3000",
        ] {
            assert_eq!(rig.get("/", host, &cookie()).0, 403, "{host}");
        }
        for host in [HOST, "localhost:3000", "LOCALHOST:3000"] {
            assert_eq!(rig.get("/", host, "").0, 200, "{host}");
        }
    }

    #[test]
    fn the_printed_address_sets_a_strict_cookie_and_drops_the_key() {
        let rig = Rig::new("key");
        let (status, headers, _) =
            rig.get(&format!("/a.html?key={}&x=1", "k".repeat(32)), HOST, "");
        assert_eq!(status, 303);
        assert!(headers.contains("location: /a.html?x=1\n"), "{headers}");
        assert!(headers.contains("HttpOnly; SameSite=Strict"), "{headers}");
        let (status, headers, _) = rig.get("/?key=wrong", HOST, "");
        assert_eq!(status, 303);
        assert!(!headers.contains("set-cookie"), "{headers}");
        let (_, headers, _) = rig.get("//evil.example/?key=wrong", HOST, "");
        assert!(headers.contains("location: /evil.example/\n"), "{headers}");
    }

    #[test]
    fn the_key_of_the_opened_browser_works_once() {
        let rig = Rig::new("once");
        assert!(rig.get("/?key=once", HOST, "").1.contains("set-cookie"));
        assert!(!rig.get("/?key=once", HOST, "").1.contains("set-cookie"));
    }

    #[test]
    fn with_the_cookie_the_button_leads_into_jupyterlab_with_the_token() {
        let rig = Rig::new("redirect");
        rig.site.set_lab(ready());
        let (status, headers, _) = rig.get("/lab.html?nb=04-adam", "localhost:3000", &cookie());
        assert_eq!(status, 303);
        assert!(
            headers.contains(
                "location: http://localhost:8888/lab/tree/my/notebooks/04-adam.ipynb?token=t0ken\n"
            ),
            "{headers}"
        );
    }

    #[test]
    fn without_the_cookie_nobody_sees_the_token() {
        let rig = Rig::new("token");
        rig.site.set_lab(ready());
        for cookies in [
            "",
            "moments-3000=wrong",
            "moments-3001=kkkk",
            "moments-3000=",
        ] {
            for address in ["/lab.html?nb=04-adam", "/lab.html", "/.course/lab"] {
                let (_, headers, body) = rig.get(address, HOST, cookies);
                assert!(
                    !headers.contains("t0ken") && !body.contains("t0ken"),
                    "{address}"
                );
                assert!(!headers.contains("location"), "{address}: {headers}");
            }
        }
        assert!(
            rig.get("/lab.html?nb=04-adam", HOST, "")
                .2
                .contains("how to start")
        );
    }

    #[test]
    fn an_unknown_notebook_or_no_jupyterlab_shows_the_ordinary_page() {
        let rig = Rig::new("ordinary");
        assert!(
            rig.get("/lab.html?nb=04-adam", HOST, &cookie())
                .2
                .contains("how to start")
        );
        rig.site.set_lab(ready());
        for name in ["05-none", "../secret", ""] {
            let (status, _, body) = rig.get(&format!("/lab.html?nb={name}"), HOST, &cookie());
            assert!(status == 200 && body.contains("how to start"), "{name}");
        }
    }

    #[test]
    fn while_it_is_set_up_the_page_says_which_step_runs() {
        let rig = Rig::new("waiting");
        rig.site.set_lab(Lab::Waiting {
            step: "Building <evcxr>.".to_owned(),
            detail: "crate 3 of 9".to_owned(),
            estimate: "ten minutes".to_owned(),
        });
        let (status, _, body) = rig.get("/lab.html?nb=04-adam", HOST, &cookie());
        assert_eq!(status, 200);
        assert!(
            body.contains("Building &lt;evcxr&gt;. This takes ten minutes."),
            "{body}"
        );
        let state = rig.get("/.course/lab", HOST, &cookie()).2;
        assert!(state.contains("crate 3 of 9"), "{state}");
        rig.site.set_lab(Lab::Failed("No network.".to_owned()));
        let (status, _, body) = rig.get("/lab.html?nb=04-adam", HOST, &cookie());
        assert!(status == 503 && body.contains("No network."));
    }

    #[test]
    fn no_path_leads_out_of_the_book() {
        let rig = Rig::new("paths");
        for path in [
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "/.hidden",
            "/C:/x",
            "/..\\secret.txt",
        ] {
            let (status, _, body) = rig.get(path, HOST, "");
            assert!(status == 404 && body.contains("gone"), "{path}");
        }
    }

    #[test]
    fn a_page_reloads_itself_when_the_book_was_built_again() {
        let rig = Rig::new("reload");
        assert!(rig.get("/", HOST, "").2.contains("/.course/reload.js"));
        let before = rig.get("/.course/version", HOST, "").2;
        rig.site.set_book(rig.root.join("site"));
        assert_ne!(rig.get("/.course/version", HOST, "").2, before);
        rig.site.set_problem("a mistake");
        assert_eq!(rig.get("/", HOST, "").0, 200);
    }

    #[test]
    fn a_busy_port_is_passed_over_unless_it_was_asked_for() {
        let first = bind(38_000, false).unwrap();
        let port = first.local_addr().unwrap().port();
        let error = bind(port, true).unwrap_err().to_string();
        assert!(
            error.contains(&port.to_string()) && error.contains("--port"),
            "{error}"
        );
        let second = bind(port, false).unwrap();
        assert!(second.local_addr().unwrap().port() > port);
        assert!(second.local_addr().unwrap().ip().is_loopback());
    }
}
