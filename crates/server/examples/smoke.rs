use countersign_server::*;
#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let mut c = Config::default();
    c.set_port(std::env::args().nth(2).map(|p| p.parse().unwrap()).unwrap_or(0));
    let r = start(Setup::headless(dir.into(), c)).await.unwrap();
    println!("{:?}", r.status());
    std::future::pending::<()>().await;
}
