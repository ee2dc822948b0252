#include "hub/storage/memory/memory_store.hpp"

#include <algorithm>
#include <ranges>

#include "hub/domain/content_references.hpp"
#include "hub/domain/inspection.hpp"
#include "hub/domain/job_state.hpp"

namespace slipway::hub::storage {
namespace {

using base::Code;
using base::Result;
using namespace domain;

template <typename Rows, typename Key, typename Member>
auto* find_by(Rows& rows, const Key& key, Member member) {
  const auto found = std::ranges::find(rows, key, member);
  return found == rows.end() ? nullptr : &*found;
}

/// The wanted page of what matches, newest first.
template <typename Row, typename Matches>
Listed<Row> listed(const std::vector<Row>& rows, Page page, const Matches& matches) {
  Listed<Row> found;
  for (const Row& row : rows | std::views::reverse) {
    if (!matches(row)) continue;
    if (found.total >= page.offset && found.items.size() < page.limit) found.items.push_back(row);
    ++found.total;
  }
  return found;
}

template <typename T>
bool is_wanted(const std::vector<T>& wanted, T value) {
  return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

bool is_wanted(const std::string& wanted, const std::string& value) {
  return wanted.empty() || wanted == value;
}

}  // namespace

// Users, tokens and web sessions.

Result<void> MemoryStore::insert_user(const User& user) {
  const std::lock_guard lock(mutex_);
  if (find_by(users_, user.id, &User::id) != nullptr || find_by(users_, user.email, &User::email) != nullptr) {
    return base::fail(Code::kAlreadyExists, "user {} is there", user.email);
  }
  users_.push_back(user);
  return {};
}

Result<User> MemoryStore::user(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  if (const User* user = find_by(users_, id, &User::id)) return *user;
  return base::fail(Code::kNotFound, "no user {}", id);
}

Result<User> MemoryStore::user_by_email(const std::string& email) const {
  const std::lock_guard lock(mutex_);
  if (const User* user = find_by(users_, email, &User::email)) return *user;
  return base::fail(Code::kNotFound, "no user {}", email);
}

Result<void> MemoryStore::insert_token(const Token& token) {
  const std::lock_guard lock(mutex_);
  if (find_by(tokens_, token.id, &Token::id) != nullptr || find_by(tokens_, token.sha256, &Token::sha256) != nullptr) {
    return base::fail(Code::kAlreadyExists, "token {} is there", token.id);
  }
  tokens_.push_back(token);
  return {};
}

Result<std::vector<Token>> MemoryStore::tokens() const {
  const std::lock_guard lock(mutex_);
  std::vector<Token> sorted = tokens_;
  std::ranges::sort(sorted, {}, [](const Token& token) { return std::pair(token.created, token.id); });
  return sorted;
}

Result<Token> MemoryStore::token_by_hash(const std::string& sha256) const {
  const std::lock_guard lock(mutex_);
  if (const Token* token = find_by(tokens_, sha256, &Token::sha256)) return *token;
  return base::fail(Code::kNotFound, "no such token");
}

Result<Token> MemoryStore::token(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  if (const Token* token = find_by(tokens_, id, &Token::id)) return *token;
  return base::fail(Code::kNotFound, "no such token");
}

Result<void> MemoryStore::touch_token(const std::string& id, base::Time last_used) {
  const std::lock_guard lock(mutex_);
  if (Token* token = find_by(tokens_, id, &Token::id)) token->last_used = last_used;
  return {};
}

Result<void> MemoryStore::revoke_token(const std::string& id, base::Time when) {
  const std::lock_guard lock(mutex_);
  Token* token = find_by(tokens_, id, &Token::id);
  if (token == nullptr) return base::fail(Code::kNotFound, "no token {}", id);
  if (!token->revoked) token->revoked = when;
  std::erase_if(web_sessions_, [&](const WebSession& session) { return session.token_id == id; });
  return {};
}

Result<void> MemoryStore::insert_web_session(const WebSession& session) {
  const std::lock_guard lock(mutex_);
  web_sessions_.push_back(session);
  return {};
}

Result<WebSession> MemoryStore::web_session(const std::string& sha256) const {
  const std::lock_guard lock(mutex_);
  if (const WebSession* session = find_by(web_sessions_, sha256, &WebSession::sha256)) return *session;
  return base::fail(Code::kNotFound, "no such session");
}

void MemoryStore::remove_web_session(const std::string& sha256) {
  const std::lock_guard lock(mutex_);
  std::erase_if(web_sessions_, [&](const WebSession& session) { return session.sha256 == sha256; });
}

void MemoryStore::remove_web_sessions_before(base::Time now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(web_sessions_, [&](const WebSession& session) { return session.expires <= now; });
}

// Models, datasets and uploads.

Result<void> MemoryStore::insert_model(const Model& model) {
  const std::lock_guard lock(mutex_);
  return models_.insert(model);
}

Result<Model> MemoryStore::model(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return models_.get("model", id);
}

Result<void> MemoryStore::rename_model(const std::string& id, const std::string& name) {
  const std::lock_guard lock(mutex_);
  Model* model = models_.find(id);
  if (model == nullptr) return base::fail(Code::kNotFound, "no model {}", id);
  model->name = name;
  return {};
}

Result<Listed<Model>> MemoryStore::models(const std::string& owner_id, const std::string& producer, Page page) const {
  const std::lock_guard lock(mutex_);
  return listed(models_.rows, page, [&](const Model& model) {
    return is_wanted(owner_id, model.owner_id) && is_wanted(producer, model.producer_job_id);
  });
}

Result<void> MemoryStore::insert_dataset(const Dataset& dataset) {
  const std::lock_guard lock(mutex_);
  return datasets_.insert(dataset);
}

Result<Dataset> MemoryStore::dataset(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return datasets_.get("dataset", id);
}

Result<Listed<Dataset>> MemoryStore::datasets(const std::string& owner_id, Page page) const {
  const std::lock_guard lock(mutex_);
  return listed(datasets_.rows, page, [&](const Dataset& dataset) { return is_wanted(owner_id, dataset.owner_id); });
}

Result<void> MemoryStore::complete_model_upload(const Model& model, const Job& inspection) {
  const std::lock_guard lock(mutex_);
  Model* known = models_.find(model.id);
  if (known == nullptr) return base::fail(Code::kNotFound, "no entry {}", model.id);
  if (known->upload == UploadState::kComplete) return base::fail(Code::kAborted, "{} has its file already", model.id);
  SLIPWAY_TRY(jobs_.insert(inspection));
  const std::string name = known->name;
  *known = model;
  known->name = name;
  return {};
}

Result<void> MemoryStore::complete_dataset_upload(const Dataset& dataset, const Job& inspection) {
  const std::lock_guard lock(mutex_);
  Dataset* known = datasets_.find(dataset.id);
  if (known == nullptr) return base::fail(Code::kNotFound, "no entry {}", dataset.id);
  if (known->upload == UploadState::kComplete) return base::fail(Code::kAborted, "{} has its file already", dataset.id);
  SLIPWAY_TRY(jobs_.insert(inspection));
  *known = dataset;
  return {};
}

Result<std::set<std::string>> MemoryStore::content_in_use(base::Time now) const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> used;
  const auto add = [&](const std::vector<Blob>& content) {
    for (const Blob& blob : content) used.insert(blob.sha256);
  };
  for (const Model& model : models_.rows) add(content_of(model));
  for (const Job& job : jobs_.rows) add(content_of(job));
  for (const Dataset& dataset : datasets_.rows) {
    const bool is_over = dataset.expires && *dataset.expires <= now;
    const bool is_taken = std::ranges::any_of(jobs_.rows, [&](const Job& job) {
      return inputs_of(job.payload).dataset_id == dataset.id && !is_terminal(job.state);
    });
    if (!is_over || is_taken) add(content_of(dataset));
  }
  return used;
}

Result<void> MemoryStore::insert_upload(const Upload& upload) {
  const std::lock_guard lock(mutex_);
  if (find_by(uploads_, upload.id, &Upload::id) != nullptr) {
    return base::fail(Code::kAlreadyExists, "upload {} is there", upload.id);
  }
  uploads_.push_back(upload);
  return {};
}

Result<Upload> MemoryStore::upload(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  if (const Upload* upload = find_by(uploads_, id, &Upload::id)) return *upload;
  return base::fail(Code::kNotFound, "no upload {}", id);
}

Result<void> MemoryStore::update_upload(const Upload& upload) {
  const std::lock_guard lock(mutex_);
  Upload* known = find_by(uploads_, upload.id, &Upload::id);
  if (known == nullptr) return base::fail(Code::kNotFound, "no upload {}", upload.id);
  *known = upload;
  return {};
}

void MemoryStore::remove_upload(const std::string& id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(uploads_, [&](const Upload& upload) { return upload.id == id; });
}

Result<std::vector<Upload>> MemoryStore::uploads_of(const std::string& subject_id) const {
  const std::lock_guard lock(mutex_);
  std::vector<Upload> found;
  for (const Upload& upload : uploads_ | std::views::reverse) {
    if (upload.subject_id == subject_id) found.push_back(upload);
  }
  return found;
}

Result<std::vector<Upload>> MemoryStore::expired_uploads(base::Time now) const {
  const std::lock_guard lock(mutex_);
  std::vector<Upload> found;
  std::ranges::copy_if(uploads_, std::back_inserter(found),
                       [&](const Upload& upload) { return upload.expires <= now; });
  return found;
}

// Jobs as users see them, and their logs.

Result<void> MemoryStore::insert_job(const Job& job, const std::optional<Model>& target) {
  const std::lock_guard lock(mutex_);
  if (jobs_.find(job.id) != nullptr) return base::fail(Code::kAlreadyExists, "{} is there", job.id);
  if (target) SLIPWAY_TRY(models_.insert(*target));
  return jobs_.insert(job);
}

Result<Job> MemoryStore::job(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return jobs_.get("job", id);
}

Result<Listed<Job>> MemoryStore::jobs(const JobFilter& filter, Page page) const {
  const std::lock_guard lock(mutex_);
  auto found = listed(jobs_.rows, page, [&](const Job& job) {
    const JobInputs inputs = inputs_of(job.payload);
    return is_wanted(filter.kinds.empty() ? submitted_kinds() : filter.kinds, kind_of(job)) &&
           (!filter.states || std::ranges::find(*filter.states, job.state) != filter.states->end()) &&
           is_wanted(filter.owner_id, job.owner_id) &&
           (filter.model_id.empty() ||
            std::ranges::find(inputs.model_ids, filter.model_id) != inputs.model_ids.end()) &&
           is_wanted(filter.dataset_id, inputs.dataset_id);
  });
  for (Job& job : found.items) {
    auto* const run = job.outcome ? part<kinds::RunResult>(job.outcome->result) : nullptr;
    if (run != nullptr && run->profile) run->profile->set_layers({});
  }
  return found;
}

Result<void> MemoryStore::rename_job(const std::string& id, const std::string& name) {
  const std::lock_guard lock(mutex_);
  Job* job = jobs_.find(id);
  if (job == nullptr) return base::fail(Code::kNotFound, "no job {}", id);
  job->name = name;
  return {};
}

Result<std::uint64_t> MemoryStore::queue_position(const std::string& job_id) const {
  const std::lock_guard lock(mutex_);
  std::uint64_t ahead = 0;
  for (const Job& job : jobs_.rows) {
    if (job.id == job_id) return is_queued(job.state) ? ahead : 0;
    ahead += is_queued(job.state) && entry_of(job.payload).is_submitted ? 1 : 0;
  }
  return 0;
}

Result<void> MemoryStore::append_log(const std::string& job_id, const std::string& lease_token, std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (!lease_token.empty() && leased(job_id, lease_token) == nullptr) return lease_lost(job_id);
  Log& log = logs_[job_id];
  const LogPiece piece = next_log_piece(log.total_bytes, text);
  log.text += piece.text;
  log.total_bytes = piece.total_bytes;
  return {};
}

Result<std::string> MemoryStore::log(const std::string& job_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = logs_.find(job_id);
  return found == logs_.end() ? std::string() : found->second.text;
}

}  // namespace slipway::hub::storage
