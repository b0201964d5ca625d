import CLibPQ
import EventLoop

/// Sending units and reading their replies.
extension PostgresConnection {
    // MARK: Sending

    func send() {
        while state == .ready, !isWriteBlocked, let unit = pending.first, maySend(unit) {
            _ = pending.popFirst()
            guard let flight = dispatch(unit) else {
                // Part of it may be on its way: it is answered as one that was sent.
                flights.append(Flight(unit, preparing: []))
                return lost(PostgresError(.connection, libraryMessage))
            }
            flights.append(flight)
            if case .first(let lease) = unit.part { openLease = lease }
            flush()
        }
        if isWriteBlocked { flush() }
        retireIfIdle()
    }

    /// A session that is to end takes only what its open transaction still needs.
    private func maySend(_ unit: CallUnit) -> Bool {
        guard isRetiring else { return true }
        return openLease != nil && unit.part != .alone
    }

    private func retireIfIdle() {
        guard isRetiring, flights.isEmpty, openLease == nil else { return }
        lost(PostgresError(.connection, "the session could not be used any longer"))
    }

    /// Hands the unit to libpq; `nil` when the connection is broken.
    private func dispatch(_ unit: CallUnit) -> Flight? {
        var preparing: Set<Int> = []
        for (index, call) in unit.calls.enumerated() {
            let isSent =
                switch call.sql {
                case .once(let text): sendParsed(text, call.parameters)
                case .prepared(let statement):
                    sendPrepared(statement, call.parameters) { preparing.insert(index) }
                }
            if !isSent { return nil }
        }
        return PQpipelineSync(handle) == 1 ? Flight(unit, preparing: preparing) : nil
    }

    private func sendPrepared(
        _ statement: Statement, _ parameters: EncodedParameters, onPrepare: () -> Void
    ) -> Bool {
        if let known = prepared[statement], !known.isReady {
            // Its preparation is under way and may yet be skipped; don't depend on it.
            return statement.withCString { sendParsed($0, parameters) }
        }
        let name = prepared[statement]?.name ?? statement.preparedName
        if prepared[statement] == nil {
            guard statement.withCString({ PQsendPrepare(handle, name, $0, 0, nil) }) == 1 else {
                return false
            }
            prepared[statement] = (name, isReady: false)
            onPrepare()
        }
        return parameters.withPointers {
            PQsendQueryPrepared(handle, name, $0.count, $0.values, $0.lengths, $0.formats, 1) == 1
        }
    }

    private func sendParsed(_ text: UnsafePointer<CChar>, _ parameters: EncodedParameters) -> Bool {
        parameters.withPointers {
            PQsendQueryParams(handle, text, $0.count, nil, $0.values, $0.lengths, $0.formats, 1) == 1
        }
    }

    private func flush() {
        switch PQflush(handle) {
        case 0: isWriteBlocked = false
        case 1: isWriteBlocked = true
        default: isWriteBlocked = false  // Broken: reading reports why, after what the server still said.
        }
    }

    // MARK: Receiving

    func receive() {
        let isAlive = PQconsumeInput(handle) == 1
        readResults()
        emitNotifications()
        if !isAlive, state == .ready { lost(PostgresError(.connection, libraryMessage)) }
    }

    func readResults() {
        var nullsInARow = 0
        while state == .ready, !flights.isEmpty, PQisBusy(handle) == 0 {
            if let result = PQgetResult(handle) {
                nullsInARow = 0
                accept(result)
            } else {
                nullsInARow += 1
                if nullsInARow > 2 { return lost(PostgresError(.connection, "replies are out of step")) }
                stepEnded()
            }
        }
    }

    private func stepEnded() {
        guard let (statement, succeeded) = flights.withFirst({ $0.stepEnded() }) ?? nil else { return }
        if succeeded {
            prepared[statement]?.isReady = true
        } else {
            prepared[statement] = nil
        }
    }

    /// Takes one result over from libpq.
    private func accept(_ result: OpaquePointer) {
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            let result = ResultSet(result)
            _ = flights.withFirst { $0.succeeded(result) }
        case PGRES_PIPELINE_SYNC:
            PQclear(result)
            finishFlight()
        case PGRES_PIPELINE_ABORTED:
            PQclear(result)
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            // In pipeline mode libpq would return this status for ever.
            PQclear(result)
            refuseCopy()
        default:
            let failure = ServerFailure(result)
            PQclear(result)
            if failure.sqlState == nil { return lost(failure.error) }
            if failure.isStalePlan || failure.isReadOnlyServer { isRetiring = true }
            _ = flights.withFirst { $0.failed(failure.error, endsSession: failure.endsSession) }
        }
    }

    private func refuseCopy() {
        let error = PostgresError(.configuration, "COPY can't be used here: the connection was closed")
        _ = flights.withFirst { $0.failed(error, endsSession: false) }
        lost(error)
    }

    private func finishFlight() {
        guard let flight = flights.popFirst() else { return }
        let outcome = flight.outcome
        flight.unit.reply.resume(returning: outcome)
        if case .last = flight.unit.part {
            switch outcome {
            case .success: openLease = nil
            // After a refused COMMIT a ROLLBACK follows; a refused ROLLBACK leaves no way to go on.
            case .failure(let error): if flight.unit.commitPoint == .none { return lost(error) }
            }
        }
        guard flights.isEmpty, openLease == nil else { return }
        if PQtransactionStatus(handle) != PQTRANS_IDLE {
            lost(PostgresError(.connection, "a statement left a transaction open"))
        }
    }
}
