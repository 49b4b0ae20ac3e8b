//! Says when the second engine is left out.

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script in its environment what is built"
)]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CARGO_CFG_MADSIM");
    if std::env::var_os("CARGO_CFG_MADSIM").is_none() {
        println!(
            "cargo::warning=built without `--cfg madsim`: the second engine is left out. The flag is set in \
             .cargo/config.toml; an exported RUSTFLAGS replaces it"
        );
    }
}
