//! What the compiler and a student's program may use, and what is said when they use more.

use crate::sandbox::Limits;

/// Everything that bounds one submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The compiler, once for the student's file and once for the program.
    pub compile: Limits,
    /// How long the compiler may take, in seconds of wall time.
    pub compile_seconds: u32,
    /// The student's program.
    pub run: Limits,
    /// How long one answer may take: seconds of CPU time, and four times as many of wall time, for a machine may be busy.
    pub answer_seconds: u32,
    /// How long all answers together may take, in seconds of wall time.
    pub run_seconds: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            compile: Limits {
                cpu: 10,
                memory: 1536,
                processes: 64,
                file: 64,
            },
            compile_seconds: 40,
            run: Limits {
                cpu: 20,
                memory: 512,
                processes: 1,
                file: 1,
            },
            answer_seconds: 2,
            run_seconds: 300,
        }
    }
}

impl Bounds {
    /// In words, as an outcome records it.
    pub fn words(&self) -> String {
        let of = |limits: Limits| {
            format!(
                "cpu {} s, memory {} MB, processes {}, files {} MB",
                limits.cpu, limits.memory, limits.processes, limits.file
            )
        };
        format!(
            "compile: {}, wall {} s; run: {}, answer {} s, all answers {} s",
            of(self.compile),
            self.compile_seconds,
            of(self.run),
            self.answer_seconds,
            self.run_seconds
        )
    }
}

/// A limit that was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// CPU time, in seconds.
    Cpu(u32),
    /// Wall time without an answer, in seconds.
    Wall(u32),
    /// Wall time for all answers together, in seconds.
    All(u32),
    /// Memory, in megabytes.
    Memory(u32),
    /// The size of a file, in megabytes.
    File(u32),
    /// The stack of a thread, in megabytes.
    Stack(u32),
    /// The length of an answer, in megabytes.
    Answer(u32),
}

impl Hit {
    /// In words with its figure, such as `CPU time: 20 s`.
    pub fn words(self) -> String {
        match self {
            Self::Cpu(seconds) => format!("CPU time: {seconds} s"),
            Self::Wall(seconds) => format!("time without an answer: {seconds} s"),
            Self::All(seconds) => format!("time for all answers together: {seconds} s"),
            Self::Memory(megabytes) => format!("memory: {megabytes} MB"),
            Self::File(megabytes) => format!("size of a file: {megabytes} MB"),
            Self::Stack(megabytes) => {
                format!("stack: {megabytes} MB, as of a function that calls itself without end")
            }
            Self::Answer(megabytes) => format!("length of an answer: {megabytes} MB"),
        }
    }

    /// The limit that ended a program, as far as its status and its last words tell.
    ///
    /// The words are the program's own, so they may lie: about why it gets no points, which they do not change.
    pub(crate) fn of(status: Option<i32>, last_words: &str, limits: Limits) -> Option<Self> {
        if last_words.contains("memory allocation of")
            || last_words.contains("Cannot allocate memory")
            || last_words.contains("failed to allocate memory")
        {
            return Some(Self::Memory(limits.memory));
        }
        if last_words.contains("has overflowed its stack") {
            return Some(Self::Stack(8));
        }
        // A shell says 128 and the signal's number; SIGXCPU is 24, SIGXFSZ 25, and 9 ends what survives the first.
        match status? {
            152 | 137 => Some(Self::Cpu(limits.cpu)),
            153 => Some(Self::File(limits.file)),
            _ => None,
        }
    }
}
