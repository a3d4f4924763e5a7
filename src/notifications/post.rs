//! Makes one attempt to deliver a message to a webhook. Blocks. Must not retry.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ureq::Agent;
use ureq::http::{HeaderMap, StatusCode};

use super::message::Message;
use super::signature::{InvalidLength, sign, sign_body};
use crate::config::{Webhook, WebhookSecret};

/// The time limit of one attempt.
const LIMIT: Duration = Duration::from_secs(10);

/// The number of bytes read of an answer, so that the connection closes cleanly.
const ANSWER_MAX_BYTES: u64 = 4_096;

/// Why a message was not delivered. Must not contain the address.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    /// The receiver will not accept it later either.
    #[error("the receiver refused the message: {0}")]
    Refused(StatusCode),
    /// The receiver may accept it later.
    #[error("the receiver answers {status}")]
    Busy {
        /// The status of the answer.
        status: StatusCode,
        /// The pause that the receiver asks for.
        retry_after: Option<Duration>,
    },
    /// No answer came.
    #[error(transparent)]
    Unreachable(ureq::Error),
    /// The body could not be signed.
    #[error(transparent)]
    Unsigned(#[from] InvalidLength),
}

impl PostError {
    /// The pause that the receiver asks for, if any.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            Self::Refused(_) | Self::Unreachable(_) | Self::Unsigned(_) => None,
        }
    }
}

/// Posts `message` to `webhook` at the time `now`, signed if there is a secret. Any 2xx is success.
pub(super) fn post(
    webhook: &Webhook,
    secret: Option<&WebhookSecret>,
    message: &Message,
    now: SystemTime,
) -> Result<(), PostError> {
    let agent: Agent = Agent::config_builder()
        .timeout_connect(Some(LIMIT))
        .timeout_global(Some(LIMIT))
        // Treats a redirect as a refusal: the body is for this address only.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("hotcut/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let Message { id, json: body, .. } = message;
    let timestamp = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut request = agent
        .post(webhook.uri())
        .content_type("application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp);
    if let Some(secret) = secret {
        // Receivers written for 0.1.0 know only the second header. The next version will not send it.
        request = request
            .header(
                "webhook-signature",
                sign(secret.key(), id, timestamp, body)?,
            )
            .header(
                "X-Hotcut-Signature",
                sign_body(secret.token().bytes(), body)?,
            );
    }
    let mut answer = request
        .send(body.as_slice())
        .map_err(PostError::Unreachable)?;
    // The status is known, whatever the body of the answer contains.
    let rest = answer.body_mut().with_config().limit(ANSWER_MAX_BYTES);
    drop(rest.read_to_vec());
    judge(answer.status(), answer.headers())
}

fn judge(status: StatusCode, headers: &HeaderMap) -> Result<(), PostError> {
    let may_change = status.is_server_error()
        || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    if status.is_success() {
        Ok(())
    } else if may_change {
        let seconds = headers.get("retry-after").and_then(|value| {
            let text = value.to_str().ok()?;
            text.trim().parse().ok()
        });
        Err(PostError::Busy {
            status,
            retry_after: seconds.map(Duration::from_secs),
        })
    } else {
        Err(PostError::Refused(status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a message that would be accepted later is dropped, or when one that never will be accepted is retried.
    #[test]
    fn only_what_may_change_is_tried_again() {
        let kind = |code: u16| {
            let status = StatusCode::from_u16(code).unwrap();
            match judge(status, &HeaderMap::new()) {
                Ok(()) => "taken",
                Err(PostError::Busy { .. }) => "later",
                Err(_) => "never",
            }
        };
        for code in [200, 202, 204] {
            assert_eq!(kind(code), "taken", "{code}");
        }
        for code in [408, 429, 500, 502, 503] {
            assert_eq!(kind(code), "later", "{code}");
        }
        for code in [301, 307, 400, 401, 404, 410] {
            assert_eq!(kind(code), "never", "{code}");
        }
    }

    /// Fails when a number of seconds is ignored, or a date is read as a number.
    #[test]
    fn receiver_may_say_when_it_wants_to_be_called() {
        let asked = |text: &str| {
            let headers =
                HeaderMap::from_iter([("retry-after".parse().unwrap(), text.parse().unwrap())]);
            match judge(StatusCode::SERVICE_UNAVAILABLE, &headers) {
                Err(PostError::Busy { retry_after, .. }) => retry_after,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(asked("120"), Some(Duration::from_mins(2)));
        assert_eq!(asked("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(asked("-1"), None);
    }
}
