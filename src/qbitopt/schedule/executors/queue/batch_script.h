#pragma once

#include <string>

#include "qbitopt/schedule/executors/queue/batch.h"
#include "qbitopt/schedule/executors/queue/batch_system.h"

namespace qbitopt {

// What a job of the queue runs: the attempts of its list one after another, each by a worker of its
// own, which leaves in the attempt's folder
//   worker.txt  what the worker printed outside of the attempt
//   exit        its exit status, 128 + n if it died of signal n, and the signal that the job was sent
//               meanwhile: "0 USR1"
// and in the batch's folder started.<task>: the queue's id of the job.
// At USR1 and TERM the running worker is told to write its checkpoint, and no other one starts.
// Skipped are attempts that have begun already (a job that the queue runs a second time), and those
// with a file `over` in their folder, which their driver has given up: so that whatever the queue
// does, no attempt is executed twice.
// `threads`: of each job. `command`: the worker's, before the name of job.json.
std::string batch_script(const BatchSystem& system, const QueueBatch& batch,
                         const BatchNeeds& needs, int threads, const QueueSettings& settings,
                         const std::string& command);

}  // namespace qbitopt
