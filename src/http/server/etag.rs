//! Decides from the `ETag` of an answer and a request's `If-None-Match` whether the caller already has the answer. Must not depend
//! on the content.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use headers::{ETag, HeaderMapExt as _, IfNoneMatch};

/// Whether the caller already has the content of `tag` (in quotes): a tag in its list is equal, weak or strong, or the list is `*`.
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let mut lines = headers.get_all(header::IF_NONE_MATCH).iter();
    if !lines.all(has_tags_of_no_blanks) {
        return false;
    }
    let asked = headers.typed_get::<IfNoneMatch>();
    let tag = tag.parse::<ETag>();
    asked
        .zip(tag.ok())
        .is_some_and(|(asked, tag)| !asked.precondition_passes(&tag))
}

/// Tells whether all that stands in quotes may stand in a tag (RFC 9110, 8.8.3). The crate takes that for granted, and panics otherwise
/// where assertions are on.
fn has_tags_of_no_blanks(line: &HeaderValue) -> bool {
    let parts = line.as_bytes().split(|byte| *byte == b'"');
    let mut tags = parts.skip(1).step_by(2);
    tags.all(|tag| tag.iter().all(|byte| *byte > b' ' && *byte != 0x7f))
}

/// The answer to a caller that already has the content.
pub(crate) fn not_modified(tag: &str, cache: &'static str) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    remember(response.headers_mut(), tag, cache);
    response
}

/// Adds the headers for caching: the `cache` policy and the `tag` for revalidation.
pub(crate) fn remember(headers: &mut HeaderMap, tag: &str, cache: &'static str) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = tag.parse::<ETag>() {
        headers.typed_insert(tag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a list, a weak tag or `*` is not understood, or when another tag matches.
    #[test]
    fn every_form_of_the_question_is_understood() {
        let is_known = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::IF_NONE_MATCH, line.parse().unwrap());
            }
            is_known(&headers, "\"a-1\"")
        };
        for lines in [
            &["\"a-1\""][..],
            &["W/\"a-1\""],
            &["\"b\", \"a-1\""],
            &["\"b\",W/\"a-1\" , \"c\""],
            &["\"b\"", "\"a-1\""],
            &["*"],
        ] {
            assert!(is_known(lines), "{lines:?}");
        }
        for lines in [
            &[][..],
            &[""],
            &["\"a\""],
            &["a-1"],
            &["\"a-1"],
            &["\"a 1\""],
            &["\"b\", \"a\t1\""],
            &["\"a-1\"", "\"a 1\""],
            &["\"b\", \"a-1-2\""],
        ] {
            assert!(!is_known(lines), "{lines:?}");
        }
    }
}
