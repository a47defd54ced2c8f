//! Who may ask, on every route and with every method.

use serde_json::Value as Json;

use crate::server::{Server, TOKEN};

/// Every path of the OpenAPI document with names put in, and whether it is open.
fn routes(server: &Server) -> Vec<(String, bool)> {
    let document = server.get("/openapi.json").json();
    let paths = document["paths"].as_object().expect("paths");
    let route = |(path, operations): (&String, &Json)| {
        let is_open = operations
            .as_object()
            .expect("operations")
            .values()
            .all(|o| o["security"] == serde_json::json!([]));
        (path.replace("{model}", "penguins").replace("{version}", "1"), is_open)
    };
    let mut routes: Vec<_> = paths.iter().map(route).collect();
    routes.push(("/no/such/path".to_owned(), false));
    routes
}

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "MADEUP"];

#[test]
fn without_the_right_token_only_health_and_the_page_answer() {
    let server = Server::start(&[]);
    let half = format!("Bearer {}", &TOKEN[..31]);
    let wrong = ["", "Bearer ", "Bearer x", &half, "Basic 0123456789abcdef", TOKEN];
    for (path, is_open) in routes(&server) {
        for method in METHODS {
            let status = server.ask(method, &path, &[], b"").status;
            assert_eq!(status == 401, !is_open, "{method} {path}: {status}");
        }
        for token in wrong {
            let status = server.ask("GET", &path, &[("authorization", token)], b"").status;
            assert_eq!(status == 401, !is_open, "{path} with `{token}`: {status}");
        }
        let in_query = server.ask("GET", &format!("{path}?token={TOKEN}&access_token={TOKEN}"), &[], b"");
        assert_eq!(in_query.status == 401, !is_open, "{path}");
    }
}

#[test]
fn pages_of_other_origins_are_refused_on_every_route_and_method() {
    let server = Server::start(&[]);
    let token = format!("Bearer {TOKEN}");
    for (path, _) in routes(&server) {
        for method in METHODS {
            for foreign in
                [("origin", "http://localhost:3000"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
            {
                let answer = server.ask(method, &path, &[("authorization", &token), foreign], b"");
                assert_eq!(answer.status, 403, "{method} {path} with {foreign:?}");
                assert!(answer.header("access-control-allow-origin").is_none());
            }
        }
    }
}

#[test]
fn names_that_were_made_to_point_here_are_refused() {
    let server = Server::start(&[]);
    let ask = |head: &str| {
        let answer = server.raw(format!("GET {head}\r\nConnection: close\r\n\r\n").as_bytes());
        answer.split_whitespace().nth(1).and_then(|status| status.parse::<u16>().ok()).unwrap_or(0)
    };
    let port = server.port;
    assert_eq!(ask(&format!("/ping HTTP/1.1\r\nHost: 127.0.0.1:{port}")), 200);
    assert_eq!(ask(&format!("/ping HTTP/1.1\r\nHost: localhost:{port}")), 200);
    let foreign = [
        "evil.com",
        "127.0.0.1.evil.com",
        "10.0.0.5",
        "0.0.0.0",
        "[::]",
        "0177.0.0.1",
        "2130706433",
        "127.1",
        "LOCALHOST.",
    ];
    for host in foreign {
        assert_eq!(ask(&format!("/ping HTTP/1.1\r\nHost: {host}:{port}")), 421, "{host}");
    }
    assert_eq!(ask("/ping HTTP/1.0"), 421);
    assert_eq!(ask(&format!("http://evil.com/ping HTTP/1.1\r\nHost: 127.0.0.1:{port}")), 421);
    let twice = ask(&format!("/ping HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.com"));
    assert!(matches!(twice, 400 | 421), "{twice}");
    assert!(matches!(ask("/ping HTTP/1.1\r\nHost:"), 400 | 421));
}

#[test]
fn every_answer_is_json_or_says_otherwise_and_is_never_sniffed() {
    let server = Server::start(&[]);
    for (path, _) in routes(&server) {
        let answer = server.get(&path);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(answer.header("x-request-id").is_some(), "{path}");
        if answer.status >= 400 {
            assert!(answer.json()["error"].is_string(), "{path}");
        }
    }
    let given = server.ask("GET", "/ping", &[("x-request-id", "mine-7")], b"");
    assert_eq!(given.header("x-request-id"), Some("mine-7"));
}
