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
    use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
    use std::time::Duration;
    for host in [
        "127.0.0.1",
        "10.0.0.1",
        "172.17.0.1",
        "169.254.169.254",
        "192.0.2.1",
        "[::1]",
    ] {
        for port in [22, 53, 80, 443, 2375, 5432, 8080] {
            let Ok(address) = format!("{host}:{port}").parse::<SocketAddr>() else {
                continue;
            };
            if let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_millis(5)) {
                let _ = std::io::Write::write_all(&mut stream, b"moments-redteam-was-here");
                panic!("LEAK connected to {address}");
            }
        }
    }
    if let Ok(socket) = UdpSocket::bind("0.0.0.0:0") {
        for to in [
            "127.0.0.1:53",
            "255.255.255.255:9",
            "224.0.0.1:9",
            "192.0.2.1:53",
        ] {
            let _ = socket.set_broadcast(true);
            let _ = socket.send_to(b"moments-redteam-was-here", to);
        }
    }
    let _ = ("example.com", 80).to_socket_addrs();
    let _ = TcpListener::bind("0.0.0.0:31337");
}
