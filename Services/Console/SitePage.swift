/// A page to be rendered: a template and what it shows.
struct SitePage: Sendable {
    /// Where it belongs in the navigation.
    enum Section: String, Sendable, CaseIterable {
        case overview, operations, tenants, connections, backups, bulk, schedules, access, audit
        case notifications, deadLetters, me

        var label: String {
            switch self {
            case .overview: "Overview"
            case .operations: "Operations"
            case .tenants: "Tenants"
            case .connections: "Connections"
            case .backups: "Backups"
            case .bulk: "Bulk"
            case .schedules: "Schedules"
            case .access: "Access"
            case .audit: "Audit"
            case .notifications: "Notifications"
            case .deadLetters: "Dead letters"
            case .me: "You"
            }
        }

        var href: String {
            switch self {
            case .overview: "/admin"
            case .operations: "/admin/operations"
            case .tenants: "/admin/tenants"
            case .connections: "/admin/provider-connections"
            case .backups: "/admin/backups"
            case .bulk: "/admin/bulk"
            case .schedules: "/admin/schedules"
            case .access: "/admin/access"
            case .audit: "/admin/audit"
            case .notifications: "/admin/notifications"
            case .deadLetters: "/admin/dead-letters"
            case .me: "/admin/me"
            }
        }
    }

    let template: String
    let title: String
    let section: Section?
    /// What the template reads as `page`.
    let content: any Sendable
    /// Whether it changes by itself: then the template `<template>-live` is sent again whenever it says something new.
    var isLive = false
}
