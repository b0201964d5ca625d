// expect: 'permit' consumed more than once
import Operations
import Store

func use(_ permit: consuming CallPermit) {}

func useTwice(_ permit: consuming CallPermit) {
    use(permit)
    use(permit)
}
