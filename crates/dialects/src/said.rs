//! Snapshots of what the codecs say, for the tests of all dialects.

/// A snapshot under a plain name: text as it is, or any value with `debug` before the name.
macro_rules! said {
    (debug $name:expr, $value:expr) => {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_debug_snapshot!($name, $value);
        })
    };
    ($name:expr, $value:expr) => {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!($name, $value);
        })
    };
}
