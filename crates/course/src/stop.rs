//! The wish to stop: Ctrl-C, SIGTERM, and the terminal's closing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// Whether somebody wants this command to stop; clones share the answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    wanted: AtomicBool,
    lock: Mutex<()>,
    bell: Condvar,
}

impl Stop {
    /// Listens from now on. A second signal ends the command at once.
    pub(crate) fn listen() -> Result<Self> {
        let stop = Self::default();
        let own = stop.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .context("Could not listen for Ctrl-C")?;
        let mut signals = {
            let _entered = runtime.enter();
            Signals::new().context("Could not listen for Ctrl-C")?
        };
        thread::spawn(move || {
            runtime.block_on(async {
                signals.next().await;
                own.now();
                signals.next().await;
                // Who had the terminal in raw mode gets no chance to leave it.
                let _ = crossterm::terminal::disable_raw_mode();
                std::process::exit(130);
            });
        });
        Ok(stop)
    }

    /// Stops.
    pub(crate) fn now(&self) {
        let _held = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.wanted.store(true, Ordering::SeqCst);
        self.0.bell.notify_all();
    }

    /// Whether to stop.
    pub(crate) fn wanted(&self) -> bool {
        self.0.wanted.load(Ordering::SeqCst)
    }

    /// Waits for this time, or until it is time to stop; says which.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let held = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let _held = self
            .0
            .bell
            .wait_timeout_while(held, time, |()| !self.wanted());
        self.wanted()
    }
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        std::future::poll_fn(|context| {
            let heard = interrupt.poll_recv(context).is_ready()
                || terminate.poll_recv(context).is_ready()
                || hangup.poll_recv(context).is_ready();
            if heard {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "The Unix twin can fail.")]
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn waiting_ends_when_somebody_says_stop() {
        let stop = Stop::default();
        assert!(!stop.wait(Duration::from_millis(10)));
        let other = stop.clone();
        let began = Instant::now();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            other.now();
        });
        assert!(stop.wait(Duration::from_secs(30)));
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
