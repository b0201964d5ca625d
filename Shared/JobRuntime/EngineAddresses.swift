internal import AMQP
internal import Postgres
package import ServiceKit

/// Where the two engines are that every service works with. Each may be one server, or the list of a cluster's.
extension Configuration {
    /// `DATABASE_URL`, which is required.
    package func databaseURL() -> String {
        url(
            "DATABASE_URL", schemes: ["postgres", "postgresql"], example: "postgres://atlas@db/atlas",
            problem: PostgresConfiguration.problem)
    }

    /// `AMQP_URL`, which is required.
    package func brokerURL() -> String {
        url(
            "AMQP_URL", schemes: ["amqp", "amqps"], example: "amqp://atlas@broker/",
            problem: BrokerAddress.problem)
    }
}
