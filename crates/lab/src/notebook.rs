//! What a long computation owes the person in front of the notebook: progress that streams, an end when Jupyter's interrupt
//! is pressed, and a panic told in two lines.
//!
//! The kernel's launcher names a file in the environment and writes it when Jupyter interrupts; a loop that looks for it can
//! end in good order, so that the notebook keeps its variables. Without that file, outside of a notebook, nothing here does
//! anything.

use crate::display::block;
use crate::format::significant;
use std::any::type_name;
use std::env;
use std::fmt::Debug;
use std::fs;
use std::panic;
use std::path::PathBuf;
use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// How a notebook shows the last value of a cell that has no `evcxr_display` of its own: as `Debug` does, and `()` not at all.
///
/// The kernel would do the same, but only after it has tried to compile the cell with that method and failed. It has this trait in
/// every cell. An inherent method of the same name wins over it.
///
/// ```
/// use moments_lab::notebook::Shown;
///
/// (0.5 + 0.25).evcxr_display();
/// ```
pub trait Shown {
    /// Shows the value in a notebook, as text.
    fn evcxr_display(&self);
}

impl<T: Debug + ?Sized> Shown for T {
    fn evcxr_display(&self) {
        if type_name::<T>() != "()" {
            print!("{}", block("text/plain", &format!("{self:?}")));
        }
    }
}

/// Names the file that appears when Jupyter interrupts. The launcher sets it.
const INTERRUPT_FILE: &str = "MOMENTS_INTERRUPT_FILE";

/// Set to 0, nothing is printed of the progress: the outputs of two runs are then the same.
const PROGRESS: &str = "MOMENTS_PROGRESS";

/// How long a loop goes on without looking for the file.
const LOOK: Duration = Duration::from_millis(50);

/// A run that is over sooner says nothing, and lines are at least this far apart.
const QUIET: Duration = Duration::from_secs(1);

/// What is known of the cell that runs now: the kernel loads each cell as a library of its own, which has its own copy of this.
static CELL: Cell = Cell::new();

struct Cell {
    /// When the cell began its first loop. An interrupt from before that was meant for another cell.
    began: OnceLock<SystemTime>,
    interrupted: AtomicBool,
}

impl Cell {
    const fn new() -> Self {
        Self {
            began: OnceLock::new(),
            interrupted: AtomicBool::new(false),
        }
    }
}

/// Tells in a notebook how far a loop of yours is, and whether Jupyter's interrupt was pressed.
/// [`Run`](crate::Run) has one already.
///
/// It prints a line a second at most, and none in the first second. Outside of a notebook it does nothing.
///
/// ```
/// use moments_lab::Progress;
///
/// let mut loss = 9.0;
/// let mut progress = Progress::new("halving", 1000);
/// for t in 1..=1000 {
///     loss *= 0.5;
///     if progress.interrupted(t, loss) {
///         break;
///     }
/// }
/// assert!(loss < 1e-300);
/// ```
#[derive(Debug)]
pub struct Progress {
    what: String,
    steps: u64,
    watch: Option<Watch>,
}

impl Progress {
    /// Begins a loop of `steps` steps; `what` stands at the start of each line.
    pub fn new(what: impl Into<String>, steps: u64) -> Self {
        let watch = env::var_os(INTERRUPT_FILE).map(|file| {
            prepare();
            let told = env::var_os(PROGRESS).is_none_or(|value| value != "0");
            Watch::new(file.into(), told, &CELL)
        });
        Self {
            what: what.into(),
            steps,
            watch,
        }
    }

    /// Says that step `t`, counted from 1, is done; true when Jupyter's interrupt was pressed in this cell, and the loop should end.
    ///
    /// All later loops of the same cell are told so too, at their first step.
    pub fn interrupted(&mut self, t: u64, loss: f64) -> bool {
        let Some(watch) = &mut self.watch else {
            return false;
        };
        match watch.after_step(Instant::now()) {
            News::None => false,
            News::Line(elapsed) => {
                println!("{}", line(&self.what, t, self.steps, loss, elapsed));
                false
            }
            News::InterruptedBefore => true,
            News::Interrupted => {
                eprintln!(
                    "{}: interrupted at step {t} of {}. What was computed so far is kept, and so are the notebook's variables.",
                    self.what, self.steps
                );
                true
            }
        }
    }
}

fn line(what: &str, t: u64, steps: u64, loss: f64, elapsed: Duration) -> String {
    let rate = significant(t as f64 / elapsed.as_secs_f64(), 3);
    let loss = significant(loss, 4);
    format!("{what}: step {t} of {steps}, loss {loss}, {rate} steps/s")
}

#[derive(Debug, PartialEq)]
enum News {
    None,
    /// A line is due, so long after the beginning.
    Line(Duration),
    Interrupted,
    /// An earlier loop of the cell was, and has said so.
    InterruptedBefore,
}

struct Watch {
    file: PathBuf,
    told: bool,
    cell: &'static Cell,
    began: Instant,
    looked: Option<Instant>,
    next_line: Duration,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Watch {
    fn new(file: PathBuf, told: bool, cell: &'static Cell) -> Self {
        let began = *cell.began.get_or_init(SystemTime::now);
        if fs::metadata(&file)
            .and_then(|file| file.modified())
            .is_ok_and(|pressed| pressed < began)
        {
            // Pressed in an earlier cell that did not look: the next press is a first one again.
            let _ = fs::remove_file(&file);
        }
        Self {
            file,
            told,
            cell,
            began: Instant::now(),
            looked: None,
            next_line: QUIET,
        }
    }

    fn after_step(&mut self, now: Instant) -> News {
        if self
            .looked
            .is_none_or(|looked| now.duration_since(looked) >= LOOK)
        {
            self.looked = Some(now);
            // Removing it says that the interrupt has been seen.
            if self.file.exists() && fs::remove_file(&self.file).is_ok() {
                self.cell.interrupted.store(true, Ordering::Relaxed);
                return News::Interrupted;
            }
        }
        if self.cell.interrupted.load(Ordering::Relaxed) {
            return News::InterruptedBefore;
        }
        let elapsed = now.duration_since(self.began);
        if self.told && elapsed >= self.next_line {
            // A long run says less and less often, so that its lines do not fill the page.
            self.next_line = elapsed + QUIET.max(elapsed / 10);
            return News::Line(elapsed);
        }
        News::None
    }
}

/// Makes panics short. The kernel asks the standard library for a backtrace, which shows forty frames of its own.
///
/// The kernel calls this when it starts, and [`Progress::new`], tables and figures call it too: after a panic the kernel
/// goes on with a new process, which has not been prepared.
pub fn prepare() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        if env::var_os(INTERRUPT_FILE).is_none() {
            return;
        }
        panic::set_hook(Box::new(|info| {
            let message = info
                .payload_as_str()
                .unwrap_or("a value that is not a text");
            if cannot_unwind(message) {
                // The panic has reached the end of the cell, where the process is about to be aborted.
                eprintln!(
                    "All variables of the notebook are lost, as after every panic; functions and imports are kept. \
                     Run the cells from the top again."
                );
                process::exit(101);
            }
            match info.location() {
                Some(place) => eprintln!("panicked at {}: {message}", short(place.file(), place.line())),
                None => eprintln!("panicked at an unknown place: {message}"),
            }
        }));
    });
}

/// What the standard library says of a panic that leaves a function that must not be left so.
fn cannot_unwind(message: &str) -> bool {
    message.starts_with("panic in a function that cannot unwind")
        || message.starts_with("panic in a destructor during cleanup")
}

/// A place in the source without the folders of this machine. The kernel compiles a cell as `src/lib.rs`, together with code
/// of its own, so that its line says nothing.
fn short(file: &str, line: u32) -> String {
    let file = file.replace('\\', "/");
    if file == "src/lib.rs" {
        return "a line of this cell, or of a function from an earlier one".to_owned();
    }
    let from = ["/crates/", "/library/", "/registry/src/"]
        .iter()
        .find_map(|mark| Some(file.rfind(mark)? + 1));
    format!("{}:{line}", &file[from.unwrap_or(0)..])
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = env::temp_dir().join(format!("moments-lab-{name}-{}", process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn file(&self) -> PathBuf {
            self.0.join("interrupt")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn cell() -> &'static Cell {
        Box::leak(Box::new(Cell::new()))
    }

    #[test]
    fn a_run_of_less_than_a_second_prints_nothing_and_a_longer_one_a_line_a_second() {
        let folder = Folder::new("lines");
        let mut watch = Watch::new(folder.file(), true, cell());
        let at = |watch: &Watch, ms: u64| watch.began + Duration::from_millis(ms);
        let mut lines = Vec::new();
        for ms in (0..30_000).step_by(10) {
            if let News::Line(elapsed) = watch.after_step(at(&watch, ms)) {
                lines.push(elapsed.as_millis());
            }
        }
        assert_eq!(lines[..3], [1000, 2000, 3000]);
        assert!(lines.len() > 12 && lines.len() < 25, "{lines:?}");
        assert!(lines.windows(2).all(|pair| pair[1] - pair[0] >= 1000));
    }

    #[test]
    fn without_lines_nothing_is_told_and_the_interrupt_still_works() {
        let folder = Folder::new("silent");
        let mut watch = Watch::new(folder.file(), false, cell());
        let later = watch.began + Duration::from_secs(9);
        assert_eq!(watch.after_step(later), News::None);
        fs::write(folder.file(), "").unwrap();
        assert_eq!(watch.after_step(later + LOOK), News::Interrupted);
    }

    #[test]
    fn an_interrupt_ends_this_loop_and_all_later_ones_of_the_cell_and_is_taken_away() {
        let folder = Folder::new("later");
        let cell = cell();
        let mut first = Watch::new(folder.file(), true, cell);
        assert_eq!(first.after_step(Instant::now()), News::None);
        fs::write(folder.file(), "").unwrap();
        let seen = Instant::now() + LOOK;
        assert_eq!(first.after_step(seen), News::Interrupted);
        assert!(!folder.file().exists());
        let mut second = Watch::new(folder.file(), true, cell);
        assert_eq!(second.after_step(Instant::now()), News::InterruptedBefore);
    }

    #[test]
    fn an_interrupt_of_an_earlier_cell_does_not_end_a_loop_of_this_one() {
        let folder = Folder::new("stale");
        fs::write(folder.file(), "").unwrap();
        let past = SystemTime::now() - Duration::from_secs(5);
        let file = fs::File::options().write(true).open(folder.file()).unwrap();
        file.set_modified(past).unwrap();
        let mut watch = Watch::new(folder.file(), true, cell());
        assert!(!folder.file().exists());
        assert_eq!(watch.after_step(Instant::now()), News::None);
    }

    #[test]
    fn a_line_names_step_loss_and_rate() {
        let text = line(
            "Adam",
            1200,
            5000,
            0.012_345_678,
            Duration::from_millis(1500),
        );
        assert_eq!(text, "Adam: step 1200 of 5000, loss 0.01235, 800 steps/s");
    }

    #[test]
    fn outside_of_a_notebook_nothing_is_watched() {
        assert!(Progress::new("x", 1).watch.is_none());
    }

    #[test]
    fn a_place_is_told_without_the_folders_of_the_machine() {
        assert_eq!(
            short(
                "/home/me/.cache/moments/templates/0a/source/crates/lab/src/trace.rs",
                7
            ),
            "crates/lab/src/trace.rs:7"
        );
        assert_eq!(
            short("/rustc/0a/library/core/src/option.rs", 9),
            "library/core/src/option.rs:9"
        );
        assert!(short("src/lib.rs", 52).contains("this cell"));
    }
}
