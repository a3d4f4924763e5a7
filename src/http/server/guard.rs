//! Admits or refuses a request by its host name, its origin and its token. Adds the security headers to every answer. Must not
//! depend on a handler.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::{HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::refusal::Refusal;
use crate::config::{Http, Token};
use crate::hex;
use crate::http::page;
use crate::http::state::AppState;

/// Name of the cookie of an authenticated browser.
const COOKIE: &str = "hotcut_session";

/// Forbids the browser to run, frame or fetch anything from other sites.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// Passes the request on, or refuses it.
pub(crate) async fn check(
    State(app): State<Arc<AppState>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match admit(
        &app.http,
        request.method(),
        request.uri(),
        request.headers(),
    ) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    let always = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in always {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

fn admit(http: &Http, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    let host = text(headers, header::HOST).unwrap_or_default();
    if !is_known(&http.hosts, host) {
        return Err(Refusal::UnknownHost(host.escape_debug().to_string()));
    }
    if !method.is_safe() && is_cross_site(headers, host) {
        return Err(Refusal::CrossSite);
    }
    match &http.token {
        Some(token) if !is_public(uri.path()) && !knows(token, headers) => {
            Err(Refusal::Unauthorized)
        }
        Some(_) | None => Ok(()),
    }
}

/// An address cannot be redirected to another machine as a name can (DNS rebinding), so only names must be in the list.
fn is_known(hosts: &[String], host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        if is_port { name } else { host }
    });
    let bare = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(name).parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || hosts.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Browsers send the origin of a request; other programs do not.
fn is_cross_site(headers: &HeaderMap, host: &str) -> bool {
    let is_foreign = text(headers, header::ORIGIN).is_some_and(|origin| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority != Some(host)
    });
    let site = text(headers, HeaderName::from_static("sec-fetch-site"));
    is_foreign || matches!(site, Some("cross-site" | "same-site"))
}

/// Paths without secrets and side effects: the page's own files, and paths that must answer before authentication.
fn is_public(path: &str) -> bool {
    matches!(
        path,
        "/healthz" | "/readyz" | "/openapi.json" | "/api/session"
    ) || page::has(path)
}

fn knows(token: &Token, headers: &HeaderMap) -> bool {
    let bearer = text(headers, header::AUTHORIZATION).and_then(|value| {
        let (scheme, secret) = value.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(secret.trim())
    });
    // Compares digests, so that the time does not depend on the length either.
    let session = session(token);
    let of_bearer = bearer.map(|secret| digest(secret.as_bytes()));
    let is_bearer = of_bearer.is_some_and(|digest| same(&digest, &self::digest(token.bytes())));
    let cookies = text(headers, header::COOKIE).unwrap_or_default();
    let is_session = cookies.split(';').any(|cookie| {
        let pair = cookie.trim().split_once('=');
        pair.is_some_and(|(name, value)| {
            name == COOKIE && same(value.as_bytes(), session.as_bytes())
        })
    });
    is_bearer || is_session
}

/// Whether `secret` is the token.
pub(crate) fn is_token(token: &Token, secret: &str) -> bool {
    same(&digest(secret.trim().as_bytes()), &digest(token.bytes()))
}

/// The cookie of an authenticated browser. Scripts and other sites cannot read it.
pub(crate) fn cookie(token: &Token) -> String {
    format!(
        "{COOKIE}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000",
        session(token)
    )
}

/// The content of the cookie: a digest, so that browsers do not store the token.
fn session(token: &Token) -> String {
    let mut hash = Sha256::new();
    hash.update(b"hotcut session ");
    hash.update(token.bytes());
    hex::encode(&hash.finalize())
}

fn digest(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_known_and_names_must_be_configured() {
        let hosts = ["cutter.lan".to_owned()];
        for host in [
            "127.0.0.1:8190",
            "[::1]:8190",
            "192.168.1.5",
            "localhost:1",
            "Cutter.LAN:80",
        ] {
            assert!(is_known(&hosts, host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8190",
            "127.0.0.1.evil.example",
            "cutter.lan.x",
        ] {
            assert!(!is_known(&hosts, host), "{host}");
        }
    }

    #[test]
    fn a_page_of_another_site_is_told_from_one_of_ours_and_from_a_program() {
        let with = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            is_cross_site(&headers, "127.0.0.1:8190")
        };
        assert!(!with(&[]));
        assert!(!with(&[
            ("origin", "http://127.0.0.1:8190"),
            ("sec-fetch-site", "same-origin")
        ]));
        assert!(with(&[("origin", "http://evil.example")]));
        assert!(with(&[("origin", "null")]));
        assert!(with(&[("sec-fetch-site", "cross-site")]));
    }
}
