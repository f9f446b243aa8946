compile_error!("\n::error::pwned\n\u{1b}[31mred <script>alert(1)</script>");
