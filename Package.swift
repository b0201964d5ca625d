// swift-tools-version: 6.1
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let certificates: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let lifecycle: Target.Dependency = .product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let arguments: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")

/// A library under `Shared/`.
func shared(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Shared/\(name)", resources: resources,
        swiftSettings: settings)
}

/// A C library of the system: two files, a module map and `shim.h`.
func system(_ name: String, pkgConfig: String? = nil, apt package: String? = nil) -> Target {
    .systemLibrary(
        name: name, path: "Shared/\(name)", pkgConfig: pkgConfig,
        providers: package.map { [.apt([$0])] })
}

/// A program under `Services/`.
func service(
    _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []
) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: "Services/\(name)", resources: resources,
        swiftSettings: settings)
}

/// A suite under `Tests/`.
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: ["Waiting"] + dependencies, path: "Tests/\(name)", exclude: exclude,
        swiftSettings: settings)
}

let package = Package(
    name: "TenantAtlas",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "atlas", targets: ["Atlas"])
    ],
    dependencies: [
        .package(
            url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1",
            traits: []),
        .package(url: "https://github.com/hummingbird-project/swift-mustache.git", from: "2.1.1"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: [
        system("CLinux"),
        system("CRabbitMQ", pkgConfig: "librabbitmq", apt: "librabbitmq-dev"),
        system("CLibPQ", pkgConfig: "libpq", apt: "libpq-dev"),
        system("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),

        shared("JSON"),
        shared("EventLoop", ["CLinux"]),
        shared("AMQP", ["CRabbitMQ", "EventLoop", logging]),
        shared("Postgres", ["CLibPQ", "EventLoop", logging]),
        shared("Curl", ["CCurl", "EventLoop", logging]),
        shared("Operations", ["JSON"]),
        shared(
            "Store", ["JSON", "Operations", "Postgres", crypto, logging],
            resources: [
                .embedInCode("Migrations/0001_foundation.sql"),
                .embedInCode("Migrations/0002_one_platform_row.sql"),
                .embedInCode("Migrations/0003_audit_as_written.sql"),
                .embedInCode("Migrations/0004_inventory.sql"),
                .embedInCode("Migrations/0005_schedules.sql"),
                .embedInCode("Migrations/0006_run_item_details.sql"),
                .embedInCode("Migrations/0007_bulk.sql"),
                .embedInCode("Migrations/0008_schedule_parameters.sql"),
                .embedInCode("Migrations/0009_audit_chain.sql"),
                .embedInCode("Migrations/0010_notifier.sql"),
                .embedInCode("Migrations/0011_connections.sql"),
                .embedInCode("Migrations/0012_sign_in.sql"),
                .embedInCode("Migrations/0013_run_lists.sql"),
                .embedInCode("Migrations/0014_directory.sql"),
                .embedInCode("Migrations/0015_notifications_and_dead_letters.sql"),
                .embedInCode("Migrations/0016_roles_per_service.sql"),
                .embedInCode("Migrations/0017_audit_server.sql"),
            ]),
        shared("Sealing", [crypto]),
        shared("Credentials", ["JSON", "Sealing", crypto, cryptoExtras, certificates, asn1]),
        shared(
            "Graph",
            [
                "ServiceKit", "JSON", "Operations", "Store", "Sealing", "Credentials", "Curl", crypto,
                logging,
            ]),
        shared(
            "JobRuntime",
            ["JSON", "Operations", "Store", "AMQP", "Postgres", "ServiceKit", crypto, lifecycle, logging]),
        shared("ServiceKit", ["CLinux", "JSON", hummingbird, lifecycle, crypto, cryptoExtras, logging]),

        service(
            "Starter",
            [
                "AMQP", "JSON", "Operations", "Postgres", "Store", "Sealing", "Credentials", "JobRuntime",
                "ServiceKit", hummingbird, crypto,
                lifecycle, logging,
            ]),
        service(
            "ProviderConsumer",
            ["JSON", "Operations", "Store", "Graph", "JobRuntime", "ServiceKit", logging]),
        service(
            "InventoryConsumer",
            ["JSON", "Operations", "Store", "Graph", "JobRuntime", "ServiceKit", logging]),
        service(
            "RestoreConsumer",
            ["JSON", "Operations", "Store", "Graph", "JobRuntime", "ServiceKit", logging]),
        service(
            "BulkConsumer",
            ["JSON", "Operations", "Store", "Graph", "JobRuntime", "ServiceKit", logging]),
        service(
            "Notifier",
            [
                "JSON", "Operations", "Store", "Sealing", "JobRuntime", "Curl", "ServiceKit", "Postgres",
                "AMQP",
                crypto, lifecycle, logging,
            ]),
        service(
            "Console",
            [
                "JSON", "Operations", "Postgres", "Store", "Curl", "ServiceKit", hummingbird, mustache,
                crypto,
                lifecycle, logging,
            ],
            resources: [.embedInCode("Templates"), .embedInCode("Static")]),
        service(
            "Atlas",
            [
                "AMQP", "JSON", "Operations", "Store", "Sealing", "Credentials", "Graph", "JobRuntime",
                "ServiceKit", "Curl", crypto, arguments,
            ]),
        service(
            "GraphSandbox",
            [
                "JSON", hummingbird, lifecycle, logging, crypto, cryptoExtras, certificates, asn1, arguments,
            ]),

        .target(name: "Waiting", path: "Tests/Waiting", swiftSettings: settings),
        .target(name: "SeededRandom", path: "Tests/SeededRandom", swiftSettings: settings),
        .target(
            name: "Fixtures", dependencies: ["Waiting", "JSON", "Operations", "Store", "Postgres", logging],
            path: "Tests/Fixtures", swiftSettings: settings),
        .target(
            name: "CredentialFixtures",
            dependencies: [
                "JSON", "Operations", "Store", "Sealing", "Credentials", "Postgres", "Fixtures", crypto,
                cryptoExtras, certificates, asn1,
            ],
            path: "Tests/CredentialFixtures", swiftSettings: settings),
        .target(
            name: "GraphFixtures",
            dependencies: [
                "Waiting", "Fixtures", "CredentialFixtures", "Graph", "Sealing", "Credentials", "Store",
                "Operations", "Postgres", "Curl", "JSON", "AMQP", "JobRuntime", "ServiceKit", logging,
            ],
            path: "Tests/GraphFixtures", swiftSettings: settings),
        .target(
            name: "WebFixtures",
            dependencies: [
                "Fixtures", "Starter", "Sealing", "Operations", "ServiceKit", hummingbird, lifecycle,
            ],
            path: "Tests/WebFixtures", swiftSettings: settings),
        .executableTarget(
            name: "Benchmark",
            dependencies: [
                "AMQP", "Curl", "Fixtures", "JSON", "JobRuntime", "Operations", "Postgres", "Store", crypto,
                logging,
            ],
            path: "Tests/Benchmark", exclude: ["limits", "pages.py", "pages.sql"], swiftSettings: settings),
        .executableTarget(
            name: "TestConsumer",
            dependencies: ["Operations", "Store", "Postgres", "Graph", "JobRuntime", "ServiceKit"],
            path: "Tests/TestConsumer", swiftSettings: settings),
        tests("JSONTests", ["SeededRandom", "JSON"]),
        tests("EventLoopTests", ["EventLoop"]),
        tests("AMQPTests", ["SeededRandom", "AMQP", "CRabbitMQ", logging]),
        tests("PostgresTests", ["SeededRandom", "Postgres"]),
        tests("CurlTests", ["Curl"]),
        tests("OperationsTests", ["SeededRandom", "Fixtures", "Operations", "JSON"]),
        tests(
            "StoreTests",
            ["Fixtures", "SeededRandom", "CredentialFixtures", "Store", "Operations", "Postgres", "JSON"]),
        tests("SealingTests", ["SeededRandom", "Sealing"]),
        tests(
            "CredentialsTests",
            [
                "CredentialFixtures", "Credentials", "Sealing", "JSON", crypto, cryptoExtras, certificates,
                asn1,
            ]),
        tests(
            "GraphTests",
            [
                "SeededRandom", "Fixtures", "GraphFixtures", "CredentialFixtures", "ProviderConsumer",
                "Graph", "Sealing",
                "Credentials", "Store", "Operations", "Postgres", "Curl", "JSON", logging,
            ]),
        tests(
            "InventoryTests",
            [
                "Fixtures", "GraphFixtures", "InventoryConsumer", "Graph", "JobRuntime", "Sealing",
                "ServiceKit", "AMQP",
                "Store", "Operations", "Postgres", "Curl", "JSON", logging,
            ]),
        tests(
            "RestoreTests",
            [
                "Fixtures", "GraphFixtures", "RestoreConsumer", "InventoryConsumer", "Graph", "Sealing",
                "Store", "Operations", "Postgres", "Curl", "JSON", logging,
            ]),
        tests(
            "BulkTests",
            [
                "Fixtures", "CredentialFixtures", "GraphFixtures", "BulkConsumer", "InventoryConsumer",
                "Graph",
                "JobRuntime", "Sealing", "AMQP", "Store", "Operations", "Postgres", "JSON", logging,
            ]),
        tests(
            "ContractTests",
            [
                "Fixtures", "GraphFixtures", "ProviderConsumer", "InventoryConsumer", "RestoreConsumer",
                "BulkConsumer", "Notifier", "GraphSandbox", "JobRuntime", "Sealing", "AMQP", "Store",
                "Operations",
                "Postgres", "Curl", "JSON",
            ]),
        tests("ServiceKitTests", ["ServiceKit"]),
        tests(
            "JobRuntimeTests",
            [
                "Fixtures", "JobRuntime", "ServiceKit", "Store", "Operations", "AMQP", "Postgres", "JSON",
                logging,
            ]),
        tests(
            "NotifierTests",
            [
                "Fixtures", "Notifier", "Store", "Operations", "Sealing", "JobRuntime", "Curl", "ServiceKit",
                "Postgres", "AMQP", "JSON", crypto, logging,
            ]),
        tests(
            "GraphSandboxTests", ["GraphSandbox", "CredentialFixtures", "JSON", crypto, cryptoExtras],
            exclude: ["msal_client.py"]),
        tests(
            "StarterTests",
            [
                "Fixtures", "CredentialFixtures", "WebFixtures", "Starter", "Sealing", "Credentials", "Store",
                "Operations", "ServiceKit", "Postgres", "JSON", crypto,
            ]),
        tests(
            "ConsoleTests",
            [
                "Fixtures", "CredentialFixtures", "SeededRandom", "WebFixtures", "Console", "Sealing",
                "Store", "Operations",
                "ServiceKit", "Postgres", "Curl", "JSON", hummingbird,
            ]),
        tests(
            "AtlasTests",
            [
                "Fixtures", "CredentialFixtures", "WebFixtures", "Credentials", "Atlas", "Starter",
                "GraphSandbox",
                "JobRuntime",
                "Store",
                "Operations", "Sealing", "AMQP",
                "Curl", "Postgres", "ServiceKit", "JSON", hummingbird, lifecycle, arguments,
            ]),
    ],
    swiftLanguageModes: [.v6]
)
