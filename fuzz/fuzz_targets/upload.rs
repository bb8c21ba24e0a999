//! A file in a multipart body: its name, its type and its content; bytes are characters, as applications report them.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let content: String = data.iter().copied().map(char::from).collect();
    let (head, content) = content.split_once('\n').unwrap_or(("a.zip", &content));
    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{head}\"\r\n\r\n{content}\r\n--x--\r\n"
    );
    let headers = [("content-type".to_owned(), "multipart/form-data; boundary=x".to_owned())].into();
    let _ = watchpost_detect::inspect_request("POST", "/upload", &headers, Some(&body));
});
