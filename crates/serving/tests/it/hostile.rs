//! Clients that mean harm: they get an error or no answer, others go on, and memory stays.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::{Server, TOKEN, one_row};

fn status(answer: &str) -> u16 {
    answer.split_whitespace().nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

fn head(server: &Server, more: &str) -> String {
    format!(
        "POST /invocations HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/json\r\n{more}\r\n",
        server.port
    )
}

#[test]
fn three_megabytes_in_chunks_of_one_byte_cost_little() {
    let server = Server::start(&[]);
    assert_eq!(server.post("/invocations", &one_row()).status, 200);
    #[cfg(target_os = "linux")]
    let before = server.memory();
    let mut request = head(&server, "Transfer-Encoding: chunked\r\n").into_bytes();
    for _ in 0..3_000_000 {
        request.extend(b"1\r\n \r\n");
    }
    request.extend(b"0\r\n\r\n");
    let answer = server.raw(&request[..]);
    assert!(matches!(status(&answer), 400 | 413 | 0), "{answer}");
    #[cfg(target_os = "linux")]
    assert!(server.memory() < before + 50_000_000, "{} -> {}", before, server.memory());
    assert_eq!(server.post("/invocations", &one_row()).status, 200);
}

#[test]
fn large_and_many_headers_are_refused() {
    let server = Server::start(&[]);
    let large = server.raw(head(&server, &format!("X-Large: {}\r\n", "a".repeat(10_000_000))).as_bytes());
    assert!(matches!(status(&large), 431 | 0), "{large}");
    let many: String = (0..10_000).map(|at| format!("X-{at}: 1\r\n")).collect();
    let many = server.raw(head(&server, &many).as_bytes());
    assert!(matches!(status(&many), 431 | 400 | 0), "{many}");
    assert_eq!(server.get("/v2").status, 200);
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let server = Server::start(&[]);
    let answer = server.raw(head(&server, "Content-Length: 99999999999\r\n").as_bytes());
    assert_eq!(status(&answer), 413, "{answer}");
    let small = "\"\",".repeat(2_000_000);
    let answer = server.post_raw(
        "/invocations",
        &[("content-type", "application/json")],
        format!("{{\"inputs\":[{small}1]}}").as_bytes(),
    );
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("too many values"), "{}", answer.text());
}

#[test]
fn deep_nesting_and_huge_numbers_are_refused() {
    let server = Server::start(&[]);
    let deep = format!("{{\"inputs\": {}", "[".repeat(1_000_000));
    assert_eq!(
        server.post_raw("/invocations", &[("content-type", "application/json")], deep.as_bytes()).status,
        400
    );
    let huge = r#"{"inputs": {"bill_length_mm": [1e999]}}"#;
    assert_eq!(
        server.post_raw("/invocations", &[("content-type", "application/json")], huge.as_bytes()).status,
        400
    );
}

#[cfg(target_os = "linux")]
#[test]
fn hostile_requests_together_leave_the_memory_as_it_was() {
    let server = Server::start(&[]);
    let numbers = vec!["1"; 1_000_000].join(",");
    let bodies = [
        format!("{{\"inputs\": [{numbers}]}}"),
        format!("{{\"instances\": [{}]}}", vec!["[1]"; 400_000].join(",")),
        format!(
            "{{\"dataframe_split\": {{\"columns\": [\"a\"], \"data\": [{}]}}}}",
            vec!["[\"\"]"; 300_000].join(",")
        ),
        json!({ "inputs": { "x".repeat(1_000_000): [1] } }).to_string(),
    ];
    for round in 0..4 {
        std::thread::scope(|scope| {
            for body in &bodies {
                scope.spawn(|| {
                    let answer = server.post_raw(
                        "/invocations",
                        &[("content-type", "application/json")],
                        body.as_bytes(),
                    );
                    assert!(matches!(answer.status, 400 | 413 | 503), "{}", answer.status);
                });
            }
        });
        assert!(server.memory() < 400_000_000, "round {round}: {}", server.memory());
    }
}

#[test]
fn a_client_that_sends_half_a_head_or_nothing_is_let_go_and_others_do_not_wait() {
    let server = Server::start(&["--timeout-s", "3"]);
    let started = Instant::now();
    let mut held: Vec<_> = (0..200).map(|_| server.connect()).collect();
    for (at, stream) in held.iter_mut().enumerate() {
        if at % 2 == 0 {
            stream.write_all(b"GET /ping HTTP/1.1\r\nHost: 127.0.0.1").expect("it is sent");
        }
    }
    for _ in 0..50 {
        let asked = Instant::now();
        assert_eq!(server.post("/invocations", &one_row()).status, 200);
        assert!(asked.elapsed() < Duration::from_millis(500), "{:?}", asked.elapsed());
    }
    for (at, stream) in held.iter_mut().enumerate() {
        let mut rest = Vec::new();
        // A reset is an end too; a time-out is not, and comes as another error.
        if let Err(error) = stream.read_to_end(&mut rest) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "connection {at}");
        }
    }
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
}

#[test]
fn a_body_that_trickles_is_given_up() {
    let server = Server::start(&["--timeout-s", "2"]);
    let mut stream = server.connect();
    stream.write_all(head(&server, "Content-Length: 100\r\n").as_bytes()).expect("it is sent");
    let started = Instant::now();
    let mut answer = String::new();
    let mut trickle = stream.try_clone().expect("a second handle");
    let writer = std::thread::spawn(move || {
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(200));
            if trickle.write_all(b" ").is_err() {
                break;
            }
        }
    });
    // The server may reset the connection once it has answered.
    let _ = stream.read_to_string(&mut answer);
    assert_eq!(status(&answer), 408, "{answer}");
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    writer.join().expect("the writer ends");
}

#[test]
fn too_many_at_once_are_told_to_come_back() {
    let server = Server::start(&["--concurrency", "1"]);
    let columns = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"];
    let row = "[1.5,2.5,3.5,4.5,\"Biscoe\",null]";
    let rows = vec![row; 150_000].join(",");
    let names = format!("{},\"island\",\"sex\"", columns.map(|name| format!("\"{name}\"")).join(","));
    let large = format!("{{\"dataframe_split\":{{\"columns\":[{names}],\"data\":[{rows}]}}}}");
    let (mut answered, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        let asks: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    let answer = server.post_raw(
                        "/invocations",
                        &[("content-type", "application/json")],
                        large.as_bytes(),
                    );
                    (answer.status, answer.header("retry-after").map(str::to_owned))
                })
            })
            .collect();
        for ask in asks {
            match ask.join().expect("it answers") {
                (200, _) => answered += 1,
                (503, Some(after)) => {
                    assert_eq!(after, "1");
                    refused += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    });
    assert!(answered >= 1 && refused >= 1, "{answered} answered, {refused} refused");
    assert_eq!(server.post("/invocations", &one_row()).status, 200);
}
