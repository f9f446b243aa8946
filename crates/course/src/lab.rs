//! JupyterLab: starting it for this clone, knowing when it answers, and ending it.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use moments_kernel::Layout;

use crate::process;
use crate::stop::Stop;

/// How long JupyterLab may take until it answers; the first start on a slow disk, or on a busy machine, compiles its Python.
const PATIENCE: Duration = Duration::from_mins(10);

/// Nothing is asked of another host, and no learner is asked about news: the defaults of this environment's JupyterLab.
const SETTINGS: &str = r#"{
  "@jupyterlab/apputils-extension:notification": { "fetchNews": "false", "checkForUpdates": false }
}
"#;

/// A running JupyterLab.
#[derive(Debug)]
pub(crate) struct Jupyter {
    child: Child,
    log: PathBuf,
    pub(crate) port: u16,
    pub(crate) token: String,
}

impl Jupyter {
    /// Starts JupyterLab on a free port of the loopback address, with this token.
    pub(crate) fn start(layout: &Layout, token: String) -> Result<Self> {
        let folder = layout.course().join("jupyter");
        let log = folder.join("jupyterlab.log");
        let failed = || format!("Could not write {}. Is the disk full?", log.display());
        fs::create_dir_all(&folder).with_context(failed)?;
        let out = File::create(&log).with_context(failed)?;
        let settings = layout.venv().join("share/jupyter/lab/settings");
        fs::create_dir_all(&settings)
            .and_then(|()| fs::write(settings.join("overrides.json"), SETTINGS))
            .with_context(failed)?;
        let notebooks = layout.root().join("my/notebooks");
        fs::create_dir_all(&notebooks).with_context(failed)?;
        let err = out.try_clone().with_context(failed)?;
        let port = free_port()?;
        let mut command = Command::new(layout.venv_bin("jupyter-lab"));
        for (name, _) in std::env::vars_os() {
            // A setting meant for another Jupyter, a notebook's own or another token, does not apply to this one.
            if name.to_string_lossy().starts_with("JUPYTER") {
                command.env_remove(name);
            }
        }
        command
            .args([
                "--no-browser",
                "--ServerApp.ip=127.0.0.1",
                "--ServerApp.port_retries=0",
            ])
            .arg(format!("--ServerApp.port={port}"))
            .arg(format!("--ServerApp.root_dir={}", layout.root().display()))
            .envs(layout.jupyter_env())
            // Notebooks are copied there: the kernel that waits must be at home in it.
            .env("MOMENTS_POOL_FOLDER", &notebooks)
            // In the environment and not among the arguments, which every user of the machine can read.
            .env("JUPYTER_TOKEN", &token)
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME")
            .current_dir(layout.root())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err);
        #[cfg(unix)]
        if rustix::process::geteuid().is_root() {
            // Jupyter refuses to run as root unless told so. In a container there is often nobody else.
            command.arg("--allow-root");
        }
        process::apart(&mut command);
        let child = command
            .spawn()
            .context("Could not start JupyterLab. `cargo course doctor` says what is missing")?;
        Ok(Self {
            child,
            log,
            port,
            token,
        })
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it answers.
    pub(crate) fn wait_until_it_answers(&mut self, stop: &Stop) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.answers() {
                return Ok(());
            }
            if self.has_ended() {
                bail!(
                    "JupyterLab ended right after its start:\n{}",
                    self.last_words()
                );
            }
            if Instant::now() > deadline {
                bail!(
                    "JupyterLab does not answer after {} minutes:\n{}",
                    PATIENCE.as_secs() / 60,
                    self.last_words()
                );
            }
            if stop.wait(Duration::from_millis(200)) {
                bail!("The start of JupyterLab was interrupted.");
            }
        }
    }

    fn answers(&self) -> bool {
        status(self.port, &self.token) == Some(200)
    }

    /// Whether it is no longer there.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// The end of its log.
    pub(crate) fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        format!(
            "{}\nThe whole log: {}",
            lines[lines.len().saturating_sub(12)..].join("\n"),
            self.log.display()
        )
    }

    /// Ends it and its kernels.
    pub(crate) fn end(mut self) {
        // Asked once, it saves its state and shuts its kernels down; that takes a second or two.
        process::end(&mut self.child, Duration::from_secs(8));
    }
}

/// A port that is free now. JupyterLab takes it a moment later and is told not to try another one.
fn free_port() -> Result<u16> {
    // Not far from Jupyter's usual port, so that the address looks familiar.
    for port in 8888..8988 {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => return Err(error).context("Could not find a free port for JupyterLab"),
        }
    }
    bail!("The ports 8888 to 8987 of 127.0.0.1 are all in use: there is none left for JupyterLab.")
}

/// The status with which a Jupyter server answers a request that needs the token.
fn status(port: u16, token: &str) -> Option<u16> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let request = format!(
        "GET /api/status HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: token {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head)
        .ok()?
        .strip_prefix("HTTP/1.1 ")?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_server_that_wants_another_token_is_not_ours() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                let mut request = [0; 1024];
                let length = stream.read(&mut request).unwrap();
                let right = String::from_utf8_lossy(&request[..length]).contains("token right\r\n");
                let line = if right { "200 OK" } else { "403 Forbidden" };
                let _ = write!(stream, "HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n");
            }
        });
        assert_eq!(status(port, "right"), Some(200));
        assert_eq!(status(port, "wrong"), Some(403));
    }

    #[test]
    fn where_nothing_listens_nothing_answers() {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        assert_eq!(status(port, "x"), None);
    }
}
