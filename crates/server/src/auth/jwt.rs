//! Signed tokens: JSON Web Tokens (RFC 7519), HS256 and nothing else (RFC 7518, section 3.2), by whoever's secret we know.

use std::collections::HashSet;
use std::sync::{Arc, Once};

use countersign_model::Millis;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result as JwtResult};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::access::{Access, Roles, Standing, Streams};
use super::keys::BadToken;

/// Tokens longer than this are nobody's.
const MAX_TOKEN: usize = 16 * 1024;
/// Who a token is for, when it says so.
const AUDIENCE: &str = "countersign";

/// HMAC with SHA-256, the one algorithm that is installed.
struct Hs256(Hmac<Sha256>);

impl Hs256 {
    fn new(algorithm: Algorithm, family: AlgorithmFamily, secret: &[u8]) -> JwtResult<Self> {
        if algorithm != Algorithm::HS256 || family != AlgorithmFamily::Hmac {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        let hmac = Hmac::new_from_slice(secret).map_err(|_| ErrorKind::InvalidKeyFormat)?;
        Ok(Self(hmac))
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(self.0.clone().chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        let hmac = self.0.clone().chain_update(message);
        hmac.verify_slice(signature).map_err(|_| SignatureError::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> JwtResult<Box<dyn JwtSigner>> {
    let signer = Hs256::new(*algorithm, key.family(), key.as_bytes())?;
    Ok(Box::new(signer))
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> JwtResult<Box<dyn JwtVerifier>> {
    let verifier = Hs256::new(*algorithm, key.family(), key.try_get_as_bytes()?)?;
    Ok(Box::new(verifier))
}

static HS256_ALONE: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

fn install() {
    static INSTALLED: Once = Once::new();
    // Nobody else in this program signs tokens; were somebody to, HS256 is HS256.
    INSTALLED.call_once(|| {
        let _ = HS256_ALONE.install_default();
    });
}

/// Signs claims.
pub(crate) fn sign(secret: &[u8], claims: &Map<String, Value>) -> String {
    install();
    let header = Header::new(Algorithm::HS256);
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret)).expect("HS256 signs any JSON")
}

/// What a token signed with `secret` says, whenever it is valid.
fn claims(secret: &[u8], token: &str) -> Option<Map<String, Value>> {
    install();
    let mut validation = Validation::new(Algorithm::HS256);
    // By the hub's clock, and audience by RFC 7519, section 4.1.3: below.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_secret(secret);
    let data = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation).ok()?;
    // RFC 7515, section 4.1.11: what is critical and not understood makes it invalid. Nothing of that is understood here.
    data.header.crit.is_none().then_some(data.claims)
}

/// Reads a token signed with any of `secrets`, each with whether its tokens may carry the approver's right.
pub(crate) fn read(secrets: &[(Arc<[u8]>, bool)], token: &str, now: Millis) -> Result<Access, BadToken> {
    if token.len() > MAX_TOKEN {
        return Err(BadToken::Invalid);
    }
    let signed = |(secret, approves): &(Arc<[u8]>, bool)| Some((claims(secret, token)?, *approves));
    let (claims, approves) = secrets.iter().find_map(signed).ok_or(BadToken::Invalid)?;
    let mut access = access(&claims, now)?;
    access.roles.approver &= approves;
    Ok(access)
}

/// A NumericDate (RFC 7519, section 2) as milliseconds.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<Millis>, BadToken> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    match value.as_f64() {
        // Beyond the year 9999 is no date.
        Some(seconds) if (0.0..253_402_300_800.0).contains(&seconds) => Ok(Some(Millis((seconds * 1000.0) as i64))),
        _ => Err(BadToken::Invalid),
    }
}

fn names<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<Option<Vec<&'a str>>, BadToken> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let list = value.as_array().ok_or(BadToken::Invalid)?;
    let names: Option<Vec<_>> = list.iter().map(Value::as_str).collect();
    names.map(Some).ok_or(BadToken::Invalid)
}

fn access(claims: &Map<String, Value>, now: Millis) -> Result<Access, BadToken> {
    let expires = time(claims, "exp")?.ok_or(BadToken::Invalid)?;
    time(claims, "iat")?;
    if time(claims, "nbf")?.is_some_and(|from| now < from) {
        return Err(BadToken::Early);
    }
    let audience = match claims.get("aud") {
        None => true,
        Some(Value::String(one)) => one == AUDIENCE,
        Some(Value::Array(list)) => list.iter().any(|one| one == AUDIENCE),
        Some(_) => false,
    };
    if !audience {
        return Err(BadToken::Invalid);
    }
    let mut roles = Roles::NONE;
    // Roles of other systems mean nothing here.
    for role in names(claims, "roles")?.unwrap_or_else(|| vec!["monitor"]) {
        roles.agent |= role == "agent";
        roles.monitor |= role == "monitor";
        roles.approver |= role == "approver";
    }
    let streams = match names(claims, "streams")? {
        None => Streams::All,
        Some(names) if names.contains(&"*") => Streams::All,
        Some(names) => Streams::Named(Arc::new(names.into_iter().map(Arc::from).collect::<HashSet<_>>())),
    };
    let subject = match (claims.get("sub"), claims.get("user_id")) {
        (Some(Value::String(name)), _) | (None, Some(Value::String(name))) => Some(name.as_str().into()),
        (None, Some(Value::Number(number))) => Some(number.to_string().into()),
        (None, None) => None,
        _ => return Err(BadToken::Invalid),
    };
    if now >= expires {
        return Err(BadToken::Expired);
    }
    Ok(Access {
        subject,
        streams,
        expires: Some(expires),
        ..Access::of(roles, Standing::Known)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Millis = Millis(1_800_000_000_000);
    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn with(token: &str) -> Result<Access, BadToken> {
        read(&[(Arc::from(SECRET), true)], token, NOW)
    }

    fn of(claims: Value) -> Result<Access, BadToken> {
        let Value::Object(claims) = claims else {
            panic!("claims are an object")
        };
        with(&sign(SECRET, &claims))
    }

    const LATER: i64 = 1_800_000_060;

    #[test]
    fn a_token_from_elsewhere_is_read() {
        // PyJWT: jwt.encode({"user_id": "u1", "streams": ["a", "b"], "exp": 1800000060}, SECRET, algorithm="HS256"). The
        // signature was made with Python's hmac.
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoidTEiLCJzdHJlYW1zIjpbImEiLCJiIl0sImV4cCI6MTgwMDAwMDA2MH0.200FVEYOaSocl4dvzD3xGjCI4og8Y_m0erRfp040FOs";
        let access = with(token).expect("valid");
        assert_eq!(access.subject.as_deref(), Some("u1"));
        assert_eq!(access.roles, Roles::MONITOR);
        assert_eq!(access.expires, Some(Millis(LATER * 1000)));
        assert!(access.sees(Some("a")) && !access.sees(Some("c")) && !access.sees(None));
    }

    #[test]
    fn what_is_not_said_is_a_monitor_of_everything() {
        let access = of(json!({ "exp": LATER })).expect("valid");
        assert_eq!((access.roles, access.streams), (Roles::MONITOR, Streams::All));
        let all =
            of(json!({ "exp": LATER, "sub": "x", "streams": ["a", "*"], "roles": ["agent", "admin"] })).expect("valid");
        assert!(all.sees_all() && all.may_publish() && !all.may_read() && !all.may_answer());
        let none = of(json!({ "exp": LATER, "streams": [], "roles": [] })).expect("valid");
        assert!(!none.sees(None) && !none.sees(Some("a")) && none.roles == Roles::NONE);
    }

    #[test]
    fn time_is_kept_to_the_letter() {
        assert_eq!(of(json!({ "exp": 1_800_000_000 })), Err(BadToken::Expired));
        assert_eq!(of(json!({ "exp": 1_700_000_000 })), Err(BadToken::Expired));
        assert!(of(json!({ "exp": 1_800_000_000.5 })).is_ok());
        assert_eq!(of(json!({ "exp": LATER, "nbf": 1_800_000_001 })), Err(BadToken::Early));
        assert!(of(json!({ "exp": LATER, "nbf": 1_800_000_000, "iat": LATER })).is_ok());
    }

    #[test]
    fn malformed_claims_are_refused() {
        for claims in [
            json!({}),
            json!({ "exp": null }),
            json!({ "exp": "1800000060" }),
            json!({ "exp": -1 }),
            json!({ "exp": 1e300 }),
            json!({ "exp": LATER, "nbf": "now" }),
            json!({ "exp": LATER, "iat": [] }),
            json!({ "exp": LATER, "roles": "approver" }),
            json!({ "exp": LATER, "roles": null }),
            json!({ "exp": LATER, "roles": ["agent", 7] }),
            json!({ "exp": LATER, "streams": "*" }),
            json!({ "exp": LATER, "streams": null }),
            json!({ "exp": LATER, "streams": [["*"]] }),
            json!({ "exp": LATER, "sub": 7 }),
            json!({ "exp": LATER, "sub": null }),
            json!({ "exp": LATER, "user_id": {} }),
            json!({ "exp": LATER, "aud": "others" }),
            json!({ "exp": LATER, "aud": 7 }),
        ] {
            assert_eq!(of(claims.clone()), Err(BadToken::Invalid), "{claims}");
        }
        assert!(of(json!({ "exp": LATER, "aud": ["others", "countersign"] })).is_ok());
    }

    fn part(value: &Value) -> String {
        // Signing writes the claims as the middle part.
        let Value::Object(claims) = value else {
            panic!("an object")
        };
        let token = sign(SECRET, claims);
        token.split('.').nth(1).expect("claims").to_owned()
    }

    /// A token with a header of its own, rightly signed.
    fn headed(header: &Value) -> String {
        let message = format!("{}.{}", part(header), part(&json!({ "exp": LATER })));
        let hmac = Hs256::new(Algorithm::HS256, AlgorithmFamily::Hmac, SECRET).expect("a key");
        let signature = hmac.sign(message.as_bytes());
        // The same, as the library writes it.
        format!("{message}.{}", base64(&signature))
    }

    fn base64(bytes: &[u8]) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let letters = bytes.chunks(3).flat_map(|chunk| {
            let all = chunk.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            (0..=chunk.len()).map(move |place| char::from(LETTERS[(all >> (18 - 6 * place)) as usize & 63]))
        });
        letters.collect()
    }

    #[test]
    fn only_hs256_with_our_secret_counts() {
        assert!(with(&headed(&json!({ "alg": "HS256" }))).is_ok());
        for header in [
            json!({ "alg": "none" }),
            json!({ "alg": "None" }),
            json!({ "alg": "hs256" }),
            json!({ "alg": "HS384" }),
            json!({ "alg": "RS256" }),
            json!({ "typ": "JWT" }),
            json!({ "alg": "HS256", "crit": ["exp"], "exp": 1 }),
            json!({ "alg": "HS256", "crit": [] }),
        ] {
            assert_eq!(with(&headed(&header)), Err(BadToken::Invalid), "{header}");
        }
        let good = headed(&json!({ "alg": "HS256" }));
        let (message, signature) = good.rsplit_once('.').expect("three parts");
        let other = sign(
            b"another secret, another secret..",
            &Map::from_iter([("exp".into(), json!(LATER))]),
        );
        let cut = &good[..good.len() - 1];
        for token in [
            "",
            ".",
            "..",
            message,
            &format!("{message}."),
            &format!("{good}."),
            &format!("{good}="),
            &format!(" {good}"),
            &format!("{message}.{signature}.{signature}"),
            cut,
            &other,
            &"x".repeat(100_000),
        ] {
            assert_eq!(with(token), Err(BadToken::Invalid), "{token}");
        }
    }

    #[test]
    fn a_secret_that_may_not_approve_leaves_that_right_out() {
        let claims = json!({ "exp": LATER, "roles": ["monitor", "approver"] });
        let Value::Object(claims) = claims else { panic!() };
        let token = sign(SECRET, &claims);
        let access = read(
            &[(Arc::from(&b"first"[..]), true), (Arc::from(SECRET), false)],
            &token,
            NOW,
        );
        assert_eq!(access.expect("valid").roles, Roles::MONITOR);
    }
}
