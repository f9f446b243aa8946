//! What the pool of waiting kernels holds; the pool itself is `python/moments_pool.py`, inside JupyterLab.

use std::fmt;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::exec;
use crate::layout::Layout;

/// The kernels that were started before anybody asked for one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pool {
    /// How many wait and live.
    pub kernels: usize,
    /// Their memory in bytes, with all their processes; nothing where the system does not tell.
    pub bytes: Option<u64>,
}

impl Pool {
    /// What waits now, by the note that the pool keeps.
    pub fn read(layout: &Layout) -> Self {
        let note = layout.jupyter_runtime().join("moments-pool.json");
        let Some(waiting) = fs::read_to_string(note)
            .ok()
            .and_then(|text| serde_json::from_str::<Value>(&text).ok())
        else {
            return Self::default();
        };
        let launchers: Vec<u64> = waiting
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|kernel| kernel["pid"].as_u64())
            .collect();
        let table = exec::capture(Command::new("ps").args(["-A", "-o", "pid=,ppid=,rss="]));
        Self::of(&launchers, table.as_deref())
    }

    /// A note of a server that was killed names processes that are gone.
    fn of(launchers: &[u64], table: Option<&str>) -> Self {
        let Some(table) = table else {
            return Self {
                kernels: launchers.len(),
                bytes: None,
            };
        };
        let rows: Vec<[u64; 3]> = table
            .lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace().map(str::parse);
                Some([
                    words.next()?.ok()?,
                    words.next()?.ok()?,
                    words.next()?.ok()?,
                ])
            })
            .collect();
        let mut of_kernels: Vec<u64> = launchers
            .iter()
            .filter(|launcher| rows.iter().any(|[pid, ..]| pid == *launcher))
            .copied()
            .collect();
        let kernels = of_kernels.len();
        // Everything that they started, and what that started.
        let mut next = 0;
        while let Some(&parent) = of_kernels.get(next) {
            let children = rows.iter().filter(|[_, ppid, _]| *ppid == parent);
            of_kernels.extend(children.map(|[pid, ..]| pid));
            next += 1;
        }
        let kilobytes: u64 = rows
            .iter()
            .filter(|[pid, ..]| of_kernels.contains(pid))
            .map(|[_, _, kilobytes]| kilobytes)
            .sum();
        Self {
            kernels,
            bytes: Some(kilobytes * 1024),
        }
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kernels {
            0 => write!(f, "no kernel waits")?,
            1 => write!(f, "1 kernel waits")?,
            n => write!(f, "{n} kernels wait")?,
        }
        if let (1.., Some(bytes)) = (self.kernels, self.bytes) {
            write!(
                f,
                " to be asked for, with {} MB of memory; MOMENTS_POOL=0 turns that off",
                bytes / 1_000_000
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;

    #[test]
    fn memory_is_that_of_all_its_processes_and_dead_kernels_do_not_count() {
        let table = "  10     1  1000\n  11    10 50000\n  12    11 10000\n  20     1   500\n 200    20     9\nnonsense\n";
        let pool = Pool::of(&[10, 99], Some(table));
        assert_eq!((pool.kernels, pool.bytes), (1, Some(61_000 * 1024)));
        assert_eq!(
            pool.to_string(),
            "1 kernel waits to be asked for, with 62 MB of memory; MOMENTS_POOL=0 turns that off"
        );
        assert_eq!(Pool::of(&[7], Some(table)).to_string(), "no kernel waits");
        assert_eq!(Pool::of(&[1, 2], None).to_string(), "2 kernels wait");
    }
}
