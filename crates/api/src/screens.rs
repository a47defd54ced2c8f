//! The built screens as files, for a browser. Only names that the build made are served, so no
//! path can lead out of the folder.

use std::path::{Component, Path, PathBuf};

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse as _, Response};
use base::Error;

use crate::routes::{App, failure};

/// What a page of ours may do: run and fetch what comes from here, and nothing else.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
                      connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Answers with a file of the screens.
pub async fn screens(State(app): State<App>, request: Request) -> Response {
    let path = request.uri().path();
    if *request.method() != Method::GET && *request.method() != Method::HEAD {
        return failure(405, Error::invalid(format!("`{}` is not for {path}", request.method())));
    }
    let file = app.screens().and_then(|root| find(root, path));
    let Some(file) = file else {
        return failure(404, Error::not_found(format!("there is nothing at `{path}`")));
    };
    let Ok(bytes) = tokio::fs::read(&file).await else {
        return failure(404, Error::not_found(format!("there is nothing at `{path}`")));
    };
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(&file)));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn find(root: &Path, path: &str) -> Option<PathBuf> {
    let name = if path == "/" { "index.html" } else { path.trim_start_matches('/') };
    let relative = Path::new(name);
    let is_plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    let file = root.join(relative);
    (is_plain && !name.contains(['%', '\\', ':']) && file.is_file()).then_some(file)
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("dist");
        std::fs::create_dir(&root).expect("can be made");
        std::fs::write(root.join("index.html"), "x").expect("can be written");
        std::fs::write(folder.path().join("secret"), "x").expect("can be written");
        assert!(find(&root, "/").is_some() && find(&root, "/index.html").is_some());
        for path in
            ["/../secret", "/..%2fsecret", "/%2e%2e/secret", "/./../secret", "//etc/passwd", "/c:/secret"]
        {
            assert_eq!(find(&root, path), None, "{path}");
        }
    }
}
